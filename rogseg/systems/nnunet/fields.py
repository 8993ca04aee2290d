"""What an entry of a foreign JSON file may be, and how it is picked out of it."""

import dataclasses
import math
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import read_json

__all__ = [
    "Field",
    "flag",
    "list_of",
    "nothing",
    "number",
    "one_of",
    "pick",
    "read_own_json",
    "text",
    "whole_number",
]

MAX_BYTES = 8 * 2**20
MAX_TEXT = 200


@dataclasses.dataclass(frozen=True)
class Field:
    """An entry: whether a value will do, what is expected in words, and whether it may be absent."""

    accepts: Callable[[Any], bool]
    expected: str
    required: bool = True

    def optional(self) -> "Field":
        """The same, absent or not."""
        return dataclasses.replace(self, required=False)


def one_of(names: Collection[str]) -> Field:
    """One of these strings, exactly."""
    return Field(lambda value: isinstance(value, str) and value in names, f"one of {', '.join(sorted(names))}")


def text() -> Field:
    """A short string."""
    return Field(lambda value: isinstance(value, str) and len(value) <= MAX_TEXT, "a short text")


def flag() -> Field:
    """True or false."""
    return Field(lambda value: isinstance(value, bool), "true or false")


def nothing() -> Field:
    """Only null."""
    return Field(lambda value: value is None, "null")


def whole_number(lowest: int, highest: int) -> Field:
    """An integer in a range."""
    return Field(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest,
        f"a whole number from {lowest} to {highest}",
    )


def number(lowest: float = -math.inf) -> Field:
    """A finite number above a bound."""
    return Field(
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) <= sys.float_info.max
            and value > lowest
        ),
        "a finite number" if lowest == -math.inf else f"a finite number above {lowest:g}",
    )


def list_of(entry: Field, *lengths: int) -> Field:
    """A list of such entries, of one of these lengths."""
    sizes = " or ".join(str(length) for length in lengths)
    return Field(
        lambda value: isinstance(value, list) and len(value) in lengths and all(map(entry.accepts, value)),
        f"a list of {sizes} entries, each {entry.expected}",
    )


def pick(content: Any, fields: Mapping[str, Field], where: str, *, closed: bool = False) -> dict[str, Any]:
    """The known entries of a JSON object, checked; what is not known is left behind.

    Args:
        content: the object.
        fields: what is known.
        where: file and place, for messages.
        closed: refuse an entry that is not known, since whoever gets the result passes all of it on.

    Raises:
        ValueError: an entry is missing, unknown or not as expected.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{where}: must be a JSON object, got {_shown(content)}")
    strangers = sorted(map(str, set(content) - set(fields)))
    if closed and strangers:
        raise ValueError(
            f"{where}: {strangers[0]!r} is not an entry that is known here, and unknown ones may run code; take it out "
            f"if nnU-Net needs it not (known: {', '.join(sorted(fields))})"
        )
    picked = {}
    for key, field in fields.items():
        if key not in content:
            if field.required:
                raise ValueError(f"{where}: {key!r} is missing; expected {field.expected}")
            continue
        if not field.accepts(content[key]):
            raise ValueError(
                f"{where}: {key!r} is {_shown(content[key])}, expected {field.expected}; nothing else is accepted, "
                "since nnU-Net runs what its files name: mend the file, or evaluate the network as a torch module"
            )
        picked[key] = content[key]
    return picked


def read_own_json(path: Path) -> Any:
    """Read a JSON file that nnU-Net wrote.

    Raises:
        ValueError: it is missing, too large or not JSON.
    """
    remedy = "give the folder TRAINER__PLANS__CONFIGURATION with plans.json, dataset.json and fold_0, as it was written"
    return read_json(path, remedy, MAX_BYTES)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
