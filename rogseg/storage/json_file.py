"""Read JSON that somebody else may have written: its size is known before memory is taken, and it runs nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["parse_json", "read_json"]

MAX_BYTES = 64 * 2**20
# Deeper than anything that a person or this project writes, and shallow enough for functions that call themselves.
MAX_DEPTH = 60


def read_json(path: str | Path, max_bytes: int = MAX_BYTES) -> Any:
    """The content of a JSON file.

    Args:
        path: a regular file; a pipe or a device would be waited for without end.
        max_bytes: a larger file is refused before it is read.

    Raises:
        ValueError: there is no such file, it is too large, or it is not JSON; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        problem = "not a regular file" if path.exists() else "there is no such file"
        raise ValueError(f"{path}: {problem}")
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"{path}: {size} bytes are too many for such a file, at most {max_bytes} are read")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not JSON: it is no text in UTF-8 ({error.reason})") from error
    return parse_json(text, str(path))


def parse_json(text: str, where: str) -> Any:
    """Parse JSON strictly: no key twice, no NaN or infinity, no nesting without end.

    Args:
        text: the JSON.
        where: what messages call it.

    Raises:
        ValueError: it is not such JSON; the message says what is wrong.
    """
    try:
        content = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError(f"{where}: nested too deeply, at most {MAX_DEPTH} levels are read") from error
    except ValueError as error:
        raise ValueError(f"{where}: not JSON: {error}") from error
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        level = [entry for value in level if isinstance(value, dict | list) for entry in _entries(value)]
    if level:
        raise ValueError(f"{where}: nested too deeply, at most {MAX_DEPTH} levels are read")
    return content


def _entries(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _without_twins(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twin!r} stands twice")
    return content


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
