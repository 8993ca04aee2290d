"""Fetch one large file over HTTP, going on where an earlier attempt stopped."""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from rogseg.foreign import open_regular
from rogseg.storage import naming

__all__ = ["checksum_of", "fetch"]

OnBytes = Callable[[int, int | None], None]

_TIMEOUT, _PIECE = 60, 1 << 20
_SHA256_DIGITS = 64


def fetch(url: str, path: Path, checksum: str, *, on_bytes: OnBytes, num_retries: int = 5, pause: float = 2.0) -> None:
    """Bring `url` to `path`, which appears only when it is complete and its checksum is right.

    What has arrived stays in ``<path>.part`` when the connection breaks or the process dies; the next call asks for
    the rest only.

    Args:
        url: http or https address.
        path: final file.
        checksum: that is expected, hexadecimal: MD5 or, of 64 digits, SHA-256.
        on_bytes: called with the bytes that are here and the total (None where the server does not say).
        num_retries: how often in a row an attempt may bring nothing new.
        pause: seconds to wait after an attempt that brought nothing, doubled each time.

    Raises:
        ValueError: the server does not have the file, or its checksum is wrong (the part is then deleted).
        ConnectionError: the connection kept breaking; what has arrived is kept.
        OSError: the disk is full or cannot be written to; what has arrived is kept.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url}: not an http address")
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = _size(part)
        try:
            if _fetch_rest(url, part, on_bytes):
                break
            reason = "the connection closed early"
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise ValueError(f"{url}: the server answers {error.code} {error.reason}; check the address") from error
            reason = f"the server answers {error.code}"
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "filename", None):  # of the disk; no connection mends that
                raise
            reason = str(error)
        failures = 0 if _size(part) > before else failures + 1
        if failures > num_retries:
            raise ConnectionError(
                f"{url}: {reason}; {_size(part) / 1e9:.2f} GB are kept in {part}: run the same command again to go on"
            )
        if failures:
            time.sleep(pause * 2 ** (failures - 1))
    _check(part, checksum, url)
    os.replace(part, path)


def _fetch_rest(url: str, part: Path, on_bytes: OnBytes) -> bool:
    """One attempt; True when the file is complete."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        # Nothing lies beyond what is here: either it is complete, or it is none of this file.
        if error.headers.get("Content-Range") == f"bytes */{have}":
            on_bytes(have, have)
            return True
        part.unlink()
        return False
    with response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not resumed:
            have = 0  # The server sends the whole file.
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        with part.open("ab" if have else "wb", buffering=0) as file:
            while piece := response.read(_PIECE):
                with naming(part):
                    have += file.write(piece)
                on_bytes(have, total)
    return total is None or have == total


def checksum_of(path: Path, like: str) -> str:
    """The checksum of a file, hexadecimal, of the kind that another one is.

    Raises:
        ValueError: it is no plain file.
    """
    with open_regular(path) as file:
        if len(like) == _SHA256_DIGITS:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _check(part: Path, checksum: str, url: str) -> None:
    found = checksum_of(part, checksum)
    if found != checksum:
        part.unlink()
        raise ValueError(
            f"{url}: the file that arrived has the checksum {found} instead of {checksum} and was deleted; run the "
            "command again"
        )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
