"""Which key of a config was meant, by whoever misspelt one or left out what stands before it."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from rogseg.engine.config.check import signature_of
from rogseg.engine.config.keys import TOP_LEVEL_KEYS, nearest
from rogseg.engine.config.slots import SLOTS
from rogseg.engine.config.takers import TAKERS

__all__ = ["key_hint"]

MOST_PATHS = 3  # that a message names


def key_hint(key: str, config: Mapping[str, Any]) -> str:
    """A hint for an error message on a key whose first word no config has at its top level.

    A key that stands further down, or that a component there takes, is named with its path; a misspelt one by the
    nearest word, wherever that stands.

    Args:
        key: as it was given, with dots or without.
        config: that it was given for.
    """
    paths = sorted(_paths(config, "", ""), key=lambda path: path.count("."))
    meant = [path for path in paths if path.endswith(f".{key}")]
    if not meant and "." not in key:
        near = difflib.get_close_matches(key, {*TOP_LEVEL_KEYS, *(path.rpartition(".")[2] for path in paths)}, n=1)
        if near and near[0] not in TOP_LEVEL_KEYS:
            meant = [path for path in paths if path.endswith(f".{near[0]}")]
    first, last = key.partition(".")[0], key.rpartition(".")[2]
    if not meant and not difflib.get_close_matches(first, TOP_LEVEL_KEYS, n=1):
        meant = [path for path in paths if path.endswith(f".{last}")]
    if not meant:
        return nearest(first, TOP_LEVEL_KEYS)
    shortest = [path for path in dict.fromkeys(meant) if path.count(".") == meant[0].count(".")]
    return f"did you mean {' or '.join(map(repr, shortest[:MOST_PATHS]))}?"


def _paths(value: Any, where: str, name: str) -> Iterator[str]:
    """The dotted paths below a value: what is written there, and what else its component takes."""
    if isinstance(value, Mapping):
        for argument in (*value, *_arguments(value, where, name)):
            yield f"{where}.{argument}" if where else str(argument)
    entries = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    )
    for key, entry in entries:
        # An entry of a list is a component of the slot that the list stands in.
        yield from _paths(entry, f"{where}.{key}" if where else str(key), name if isinstance(key, int) else str(key))


def _arguments(component: Mapping[str, Any], where: str, name: str) -> set[str]:
    if where in TAKERS:
        return set(signature_of(TAKERS[where].call)[0]) - TAKERS[where].supplied
    constructor = SLOTS[name].registry.get(component["type"]) if name in SLOTS and _is_named(component) else None
    return set() if constructor is None else {*signature_of(constructor)[0], *SLOTS[name].extra} - SLOTS[name].supplied


def _is_named(component: Mapping[str, Any]) -> bool:
    return isinstance(component.get("type"), str)
