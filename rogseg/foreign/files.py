"""Files of others: plain ones, JSON and arrays, with every complaint that a bad one deserves.

A pipe that nobody writes to, or a device that never ends, is not waited for; nothing is run, nothing taken over in
silence, and no more memory used than makes sense.
"""

import errno
import json
import math
import os
import stat
import zipfile
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["open_regular", "parse_json", "read_arrays", "read_json", "read_regular"]

_MAX_BYTES = 256 * 2**20
# What the readers of damaged archives end in.
DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError)


def open_regular(path: str | Path, remedy: str = "") -> BufferedReader:
    """Open a plain file, or a link to one, for reading its bytes.

    Args:
        path: the file.
        remedy: what the message tells the user to do where there is no such file.

    Raises:
        ValueError: there is no such file, it may not be read, or it is a folder, pipe, socket or device.
    """
    ending = f"; {remedy}" if remedy else ""
    try:
        # Without waiting: opening a pipe for reading would else block until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file{ending}") from error
    except ValueError as error:  # NUL in the path
        raise ValueError(f"{str(path)!r}: no file can have this name ({error}){ending}") from error
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise ValueError(f"{path}: not a plain file{ending}") from error
        raise ValueError(f"{path}: cannot be read ({error.strerror}){ending}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError(f"{path}: not a plain file but a folder, pipe or device; give the file itself")
    return os.fdopen(handle, "rb")


def read_regular(path: str | Path, max_bytes: int, remedy: str = "") -> bytes:
    """All bytes of a plain file.

    Raises:
        ValueError: it cannot be opened, or is larger than ``max_bytes``.
    """
    with open_regular(path, remedy) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise ValueError(f"{path}: {size:,} bytes where at most {max_bytes:,} make sense; this is another file")
        # A file may grow while it is read, and some of /proc say that they hold nothing and never end.
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"{path}: more than the {max_bytes:,} bytes that make sense; this is another file")
    return content


def read_json(path: str | Path, remedy: str, max_bytes: int = _MAX_BYTES) -> Any:
    """What a JSON file holds.

    Args:
        path: the file, UTF-8 with or without a mark at its start.
        remedy: what the message tells the user to do about a file that cannot be used.
        max_bytes: larger files are refused unread.

    Raises:
        ValueError: no such file, not a plain file, too large, or not JSON as `parse_json` takes it.
    """
    return parse_json(read_regular(path, max_bytes, remedy), path, remedy)


def parse_json(content: bytes, where: object, remedy: str) -> Any:
    """What JSON bytes say; the same key twice, NaN, infinity and endless nesting are refused, not guessed at.

    A number that no float holds, such as 1e999, would be read as infinity, so it is refused, too.

    Raises:
        ValueError: not JSON; the message begins with ``where`` and ends with ``remedy``.
    """
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError(f"{where}: not usable JSON (nested too deeply); {remedy}") from error
    except ValueError as error:  # also what cannot be decoded, and whole numbers of thousands of digits
        raise ValueError(f"{where}: not usable JSON ({error}); {remedy}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return content


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def read_arrays(path: str | Path, max_bytes: int, remedy: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file that ``numpy.savez`` wrote, by their names; its checksums are looked at.

    Args:
        path: the file.
        max_bytes: a file that unpacks to more is refused unread.
        remedy: what the message tells the user to do about a file that cannot be used.

    Raises:
        ValueError: no such file, not a plain one, damaged, too large, or with objects in it.
    """
    with open_regular(path, remedy) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
                if size > max_bytes:
                    raise ValueError(f"it unpacks to {size:,} bytes where at most {max_bytes:,} make sense")
                return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in archive.infolist()}
        except DAMAGE as error:
            reason = str(error).split(". If you trust")[0]  # no message advises to load what is refused
            raise ValueError(f"{path}: no usable file of arrays ({reason}); {remedy}") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        member.read()  # to its end, where the checksum is compared
        return array
