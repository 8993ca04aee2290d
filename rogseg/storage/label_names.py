"""What the values of label files are called: labels, regions of several labels, and a value to leave out."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rogseg.foreign import read_json

__all__ = ["WHOLE_NUMBER", "LabelNames", "read_label_names"]

IGNORE = "ignore"

# As labels are written in ASCII; Python's own test would take the digits of every script.
WHOLE_NUMBER = re.compile("-?[0-9]{1,18}")


@dataclasses.dataclass(frozen=True)
class LabelNames:
    """The classes that label files are measured by.

    Args:
        classes: name and raw values of each; regions may share values.
        ignore: value of voxels that nobody labelled, which do not count; None where there is none.

    Raises:
        ValueError: there is no class, or two have one name.
    """

    classes: tuple[tuple[str, tuple[int, ...]], ...]
    ignore: int | None = None

    def __post_init__(self) -> None:
        names = [name for name, _ in self.classes]
        if not names:
            raise ValueError("the labels hold no foreground class")
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two classes are called {doubled[0]!r}; give each its own name")

    @property
    def values(self) -> tuple[int, ...]:
        """Every value that a file may hold, in order, the background's first."""
        known = {value for _, values in self.classes for value in values} - {0}
        return (0, *sorted(known if self.ignore is None else known | {self.ignore}))

    @classmethod
    def of_values(cls, values: Sequence[int]) -> "LabelNames":
        """Names for values that nothing names: ``label 1``, ..."""
        return cls(tuple((f"label {value}", (value,)) for value in sorted(set(values) - {0})))


def read_label_names(index: Path) -> LabelNames:
    """The key ``labels`` of a ``dataset.json`` in the layout of the MSD or of nnU-Net, regions included.

    Raises:
        ValueError: the file cannot be read, or the key is not as either layout has it.
    """
    content = read_json(index, "mend or fetch the file again")
    entries = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise ValueError(f'{index}: labels must be an object such as {{"background": 0, "liver": 1}}')
    # The MSD writes value -> name, nnU-Net name -> value, or values of a region.
    by_value = any(isinstance(name, str) and not WHOLE_NUMBER.fullmatch(name) for name in entries.values())
    classes, ignore = [], None
    for left, right in entries.items():
        name, value = (right, left) if by_value else (left, right)
        values = tuple(_whole(one, name, index) for one in (value if isinstance(value, list) else [value]))
        if name == IGNORE:
            ignore = values[0]
        elif values != (0,):
            classes.append((str(name), values))
    try:
        return LabelNames(tuple(classes), ignore)
    except ValueError as error:
        raise ValueError(f"{index}: labels: {error}") from error


def _whole(value: Any, name: str, index: Path) -> int:
    if isinstance(value, bool | float) or not WHOLE_NUMBER.fullmatch(str(value)):
        raise ValueError(f"{index}: labels: {name!r} has the value {value!r}; give whole numbers")
    return int(value)
