"""The two files of an evaluation, with checksums: ``header.json``, what records are of, and the lines of records."""

import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import open_regular, read_json
from rogseg.storage import create_bytes_atomic, naming, write_bytes_atomic

__all__ = ["HEADER", "RecordFile", "read_header", "write_header"]

HEADER = "header.json"
PARTS = ("identity", "environment")
REMEDY = "take it from a backup, or give another --out"
_CHECKSUM = re.compile(r', "crc": "([0-9a-f]{8})"\}$')


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Identity and environment of a header, as JSON data.

    Raises:
        ValueError: it is none, or not what was written there.
    """
    content = read_json(path, REMEDY)
    if not isinstance(content, dict) or not all(isinstance(content.get(part), dict) for part in PARTS):
        raise ValueError(
            f"{path}: it is not the header of an evaluation, which has the keys identity and environment; {REMEDY}"
        )
    # Headers of older versions have no checksum.
    if "crc" in content and content["crc"] != _header_checksum(content):
        raise ValueError(f"{path}: it is not what was written there, its checksum differs; {REMEDY}")
    return content["identity"], content["environment"]


def write_header(
    path: Path, identity: Mapping[str, Any], environment: Mapping[str, Any], *, is_first: bool = False
) -> None:
    """Write a header; it is on disk as a whole when this returns.

    Raises:
        FileExistsError: it is to be the first, and another process has written one meanwhile.
    """
    header = {"identity": dict(identity), "environment": dict(environment)}
    data = (json.dumps({**header, "crc": _header_checksum(header)}, indent=2) + "\n").encode()
    (create_bytes_atomic if is_first else write_bytes_atomic)(path, data)


def _header_checksum(header: Mapping[str, Any]) -> str:
    """Over what is said, however it is laid out."""
    return _checksum(json.dumps({part: header[part] for part in PARTS}, sort_keys=True))


class RecordFile:
    """A file of JSON objects, one per line.

    A line that a kill tore is left out when the file is read, and cut off before the next is added: whoever only reads,
    maybe while another writes, changes nothing. A line that somebody changed is refused: its checksum, which stands in
    it as the last key, is no longer its own.

    Args:
        path: of the file; need not exist.
        checked: whether the lines must have a checksum; those of schema 1 have none.
    """

    def __init__(self, path: Path, *, checked: bool = True) -> None:
        self.path, self.checked = path, checked
        self._num_bytes = self._size()  # of the lines that are known here
        self._num_torn = 0  # bytes after them, of a line that a kill tore

    def lines(self) -> list[str]:
        """The whole lines, without their checksums.

        Raises:
            ValueError: a line is not what was written.
        """
        if not self.path.exists():
            return []
        with open_regular(self.path) as file:
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._num_bytes, self._num_torn = len(whole), len(content) - len(whole)
        lines = whole.decode(errors="replace").splitlines()
        return [self._without_checksum(line, number) for number, line in enumerate(lines, 1)] if self.checked else lines

    def append(self, line: str) -> None:
        """Add a JSON object; it is on disk when this returns.

        Raises:
            ValueError: somebody else has added lines since these were read.
        """
        if self._num_torn and self._size() == self._num_bytes + self._num_torn:
            os.truncate(self.path, self._num_bytes)
        self._num_torn = 0
        if self._size() != self._num_bytes:
            raise ValueError(
                f"{self.path.parent}: another process writes its records here, too; let it end, or give each its own "
                "--out (attacks: split the work by --shard and merge with rogseg report)"
            )
        written = f'{line[:-1]}, "crc": "{_checksum(line)}"}}\n'.encode()
        with naming(self.path), self.path.open("ab") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        self._num_bytes += len(written)

    def _without_checksum(self, line: str, number: int) -> str:
        found = _CHECKSUM.search(line)
        bare = line[: found.start()] + "}" if found else line
        if found is None or found[1] != _checksum(bare):
            raise ValueError(
                f"{self.path}: line {number} is not what was written there, its checksum differs; take the file from a "
                "backup, or delete the line and run the same command again, which does this case anew"
            )
        return bare

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
