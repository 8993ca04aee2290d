"""What is said of a network's outputs: its classes, the activation behind them, and which entry they are."""

import dataclasses
from typing import Any, Literal

from rogseg.foreign import decode
from rogseg.systems.base import SystemClass
from rogseg.systems.label_classes import LabelClasses

__all__ = ["Outputs"]


@dataclasses.dataclass(frozen=True)
class ClassEntry:
    """A foreground class: its name, its raw label values, whether it is one piece, and what is written for it."""

    name: str
    values: tuple[int, ...] | None = None
    kind: Literal["organ", "lesion"] = "organ"
    writes: int | None = None


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a network gives.

    Args:
        classes: the foreground classes in the order of the channels: a name, or ``dict(name=, values=, kind=,
            writes=)``. Values are raw label values, 1, 2, ... where none are given; a region has several.
        activation: what belongs behind the logits. ``softmax``: one channel per class and one for the background, which
            comes first. ``sigmoid``: one independent channel per foreground class; of overlapping regions the smallest
            one that is positive wins.
        probabilities: whether the activation is part of the network; windows are then blended as they are, and what
            comes of it is turned into logits.
        key: which entry of a tuple or dictionary; None where the network gives one tensor.

    Raises:
        ValueError: a class makes no sense.
    """

    classes: tuple[Any, ...]
    activation: Literal["softmax", "sigmoid"] = "softmax"
    probabilities: bool = False
    key: int | str | None = None

    @property
    def entries(self) -> tuple[ClassEntry, ...]:
        """The classes, complete."""
        entries = []
        for place, given in enumerate(self.classes):
            where = f"system.outputs.classes[{place}]"
            entry = decode({"name": given} if isinstance(given, str) else given, ClassEntry, where)
            values = (place + 1,) if entry.values is None else entry.values
            if not values or not all(0 < value < 256 for value in values):
                raise ValueError(f"{where}: values must be label values from 1 to 255, got {values}")
            entries.append(dataclasses.replace(entry, values=values))
        names = [entry.name for entry in entries]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"system.outputs.classes must name each foreground class once, got {names}")
        return tuple(entries)

    def label_classes(self) -> tuple[LabelClasses, tuple[int, ...]]:
        """What the channels mean, larger regions first, and which channel of the network each of them is.

        Raises:
            ValueError: it is not known what to write for a region, softmax classes share a value, or regions overlap.
        """
        entries, regions = self.entries, self.activation == "sigmoid"
        values = [frozenset(entry.values or ()) for entry in entries]
        if not regions and sum(map(len, values)) > len(frozenset().union(*values)):
            raise ValueError("system.outputs.classes share label values; the classes of a softmax exclude each other")
        order = tuple(sorted(range(len(entries)), key=lambda place: -len(values[place]))) if regions else None
        chosen = tuple(range(len(entries))) if order is None else order
        written = []
        for rank, place in enumerate(chosen):
            inner = [values[later] for later in chosen[rank + 1 :]] if regions else []
            own = values[place].difference(*inner)
            writes = entries[place].writes
            if writes is None and (len(own) == 1 or not regions):
                writes = min(own)
            if writes is None or writes not in values[place]:
                raise ValueError(
                    f"system.outputs.classes: say which of the label values {sorted(values[place])} stands for "
                    f"{entries[place].name!r} alone, with writes="
                )
            written.append(writes)
        classes = tuple(SystemClass(entries[i].name, entries[i].values or (), entries[i].kind) for i in chosen)
        try:
            return LabelClasses(classes, tuple(written), regions), chosen
        except ValueError as error:
            raise ValueError(f"system.outputs.classes: {error}") from error
