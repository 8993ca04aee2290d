"""``header.json``: what a folder of records is of, and the versions and machine beside it, with a checksum."""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import read_json

__all__ = ["HEADER", "read_header", "write_header"]

HEADER = "header.json"
PARTS = ("identity", "environment")
REMEDY = "take it from a backup, or give another --out"


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
    if "crc" in content and content["crc"] != _checksum(content):
        raise ValueError(f"{path}: it is not what was written there, its checksum differs; {REMEDY}")
    return content["identity"], content["environment"]


def write_header(path: Path, identity: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """Write a header; it is on disk as a whole when this returns."""
    header = {"identity": dict(identity), "environment": dict(environment)}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w") as file:
        file.write(json.dumps({**header, "crc": _checksum(header)}, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _checksum(header: Mapping[str, Any]) -> str:
    """Over what is said, however it is laid out."""
    said = json.dumps({part: header[part] for part in PARTS}, sort_keys=True)
    return f"{zlib.crc32(said.encode()):08x}"
