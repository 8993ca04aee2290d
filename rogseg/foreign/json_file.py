"""JSON files of others, with every complaint that a bad one deserves and nothing taken over in silence."""

import json
import math
from pathlib import Path
from typing import Any

from rogseg.foreign.regular_file import read_regular

__all__ = ["parse_json", "read_json"]

_MAX_BYTES = 256 * 2**20


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
