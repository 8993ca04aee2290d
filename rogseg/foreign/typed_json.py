"""From JSON data to the types that a dataclass declares, or one sentence that says which entry is of another."""

import dataclasses
import functools
import sys
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["decode"]

Wanted = TypeVar("Wanted")


def decode(value: Any, kind: type[Wanted], where: str) -> Wanted:
    """Rebuild a value of type ``kind`` from JSON data: lists become tuples, keys of text become whole numbers.

    Args:
        value: what ``json.loads`` gave; tuples count as lists.
        kind: a dataclass, or what its fields may be: int, float (whole numbers pass and stay what they are), str,
            bool, None, Literal, unions, tuples, lists and dictionaries of these.
        where: what the value is called in messages.

    Raises:
        ValueError: an entry is missing, unknown or of another type; the message names it.
    """
    result: Wanted = _decode(value, kind, where)
    return result


def _decode(value: Any, kind: Any, where: str) -> Any:
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _dataclass(value, kind, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(value, kind, where)
    if origin is Literal:
        return value if isinstance(value, str | int) and value in arguments else _refuse(value, kind, where)
    if origin in (tuple, list):
        return _sequence(value, kind, where)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            _refuse(value, kind, where)
        return {
            _key(key, arguments[0], where): _decode(entry, arguments[1], f"{where}[{key!r}]")
            for key, entry in value.items()
        }
    return value if _is_plain(value, kind) else _refuse(value, kind, where)


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is float:
        # Compared as it stands: a whole number of 400 digits has no float.
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    if kind is None or kind is types.NoneType:
        return value is None
    return type(value) is kind


def _dataclass(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be an object with named entries, got {_shown(value)}")
    fields = dataclasses.fields(kind)
    known = {field.name for field in fields}
    needed = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    missing, unknown = sorted(needed - set(value)), sorted(map(str, set(value) - known))
    if missing or unknown:
        raise ValueError(f"{where}: missing keys {missing}, unknown keys {unknown}")
    hints = _hints(kind)
    return kind(**{key: _decode(entry, hints[key], f"{where}.{key}") for key, entry in value.items()})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _sequence(value: Any, kind: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if not isinstance(value, list | tuple):
        _refuse(value, kind, where)
    if origin is list or arguments[-1] is Ellipsis:
        entry = arguments[0]
        if entry in (int, str) and set(map(type, value)) <= {entry}:  # thousands of voxels, in one go
            return origin(value)
        return origin(_decode(one, entry, f"{where}[{place}]") for place, one in enumerate(value))
    if len(value) != len(arguments):
        _refuse(value, kind, where)
    pairs = zip(value, arguments, strict=True)
    return tuple(_decode(one, entry, f"{where}[{place}]") for place, (one, entry) in enumerate(pairs))


def _union(value: Any, kind: Any, where: str) -> Any:
    options = get_args(kind)
    if value is None and types.NoneType in options:
        return None
    others = [option for option in options if option is not types.NoneType]
    if len(others) == 1:
        return _decode(value, others[0], where)
    plain = next((option for option in others if _is_plain(value, option)), None)
    return value if plain is not None else _refuse(value, kind, where)


def _key(key: Any, kind: Any, where: str) -> Any:
    if kind is int and isinstance(key, str) and key.lstrip("-").isascii():
        try:
            return int(key)
        except ValueError:
            pass
    return key if type(key) is kind else _refuse(key, kind, f"a key of {where}")


def _refuse(value: Any, kind: Any, where: str) -> Any:
    raise ValueError(f"{where} must be {_described(kind)}, got {_shown(value)}")


def _described(kind: Any) -> str:
    words = {int: "a whole number", float: "a finite number", str: "a text", bool: "true or false"}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (tuple, list):
        if origin is list or arguments[-1] is Ellipsis:
            return f"a list, each entry {_described(arguments[0])}"
        return f"a list of {len(arguments)}, each entry {_described(arguments[0])}"
    if origin in (dict, Mapping):
        return "an object with named entries"
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(map(_described, arguments))
    return "null" if kind is types.NoneType else words.get(kind, getattr(kind, "__name__", str(kind)))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
