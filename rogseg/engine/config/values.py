"""Whether a value of a config is what the one who takes it is annotated with, and inside the range of its name."""

import collections.abc
import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

__all__ = ["RANGES", "Range", "described", "fits", "problem_of"]


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers that an argument takes, wherever an argument of that name stands.

    Args:
        lower: the least.
        upper: the largest.
        open_lower: whether `lower` itself is left out.
        open_upper: whether `upper` itself is left out.
        length: how many numbers there are; None for a single one or any number of them.
    """

    lower: float
    upper: float = math.inf
    open_lower: bool = False
    open_upper: bool = False
    length: int | None = None

    def holds(self, value: Any) -> bool:
        """Whether a number, or every number of a list, lies inside; what is no number is the annotation's to refuse."""
        if isinstance(value, list | tuple):
            return (self.length is None or len(value) == self.length) and all(self.holds(entry) for entry in value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        above = value > self.lower if self.open_lower else value >= self.lower
        return above and (value < self.upper if self.open_upper else value <= self.upper)

    def __str__(self) -> str:
        lower = f"{'above' if self.open_lower else 'at least'} {self.lower:g}"
        upper = "" if self.upper == math.inf else f" and {'below' if self.open_upper else 'at most'} {self.upper:g}"
        return f"{'' if self.length is None else f'{self.length} numbers of '}{lower}{upper}"


COUNT, FROM_ZERO, FRACTION, SIZE = Range(1), Range(0), Range(0, 1), Range(1, length=3)
# One word per idea: an argument of ours that has one of these names has this meaning.
RANGES: dict[str, Range] = {
    **dict.fromkeys(("num_iterations", "num_restarts", "num_queries", "num_replays", "batch_size"), COUNT),
    **dict.fromkeys(("max_epochs", "iterations_per_epoch", "accumulative_counts", "prefetch_factor"), COUNT),
    **dict.fromkeys(("interval", "volume_interval", "max_patches", "max_attacked", "window_batch"), COUNT),
    **dict.fromkeys(("in_channels", "num_classes", "channels", "length"), COUNT),
    **dict.fromkeys(
        ("seed", "fold", "num_workers", "max_volumes", "clean_loss_interval", "num_warmup_steps"), FROM_ZERO
    ),
    **dict.fromkeys(("lr", "weight_decay", "step_size", "beta", "gamma", "weight", "smooth"), FROM_ZERO),
    **dict.fromkeys(("epsilon", "foreground_fraction", "probability", "clean_fraction"), FRACTION),
    **dict.fromkeys(("patch_size", "crop_size", "window_size"), SIZE),
    "overlap": Range(0, 1, open_upper=True),
    "selection_fraction": Range(0, 1, open_lower=True, open_upper=True),
    "epsilons": Range(0, open_lower=True),
}


def problem_of(name: str, value: Any, annotation: Any, range_of_name: bool = True) -> str | None:
    """What is wrong with a value, as the end of a sentence; None where nothing is.

    Args:
        name: of the argument.
        value: from a config.
        annotation: of the argument.
        range_of_name: whether its name has the meaning that `RANGES` gives it.
    """
    if not fits(value, annotation):
        return f"is {value!r}, it must be {described(annotation)}"
    allowed = RANGES.get(name) if range_of_name else None
    if allowed is not None and not allowed.holds(value):
        return f"is {value!r}, it must be {allowed}"
    return None


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of an annotated type, as a config writes it: a list for any sequence, a text for a path."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Any, inspect.Parameter.empty, collections.abc.Callable) or origin is collections.abc.Callable:
        return True
    if annotation is None or annotation is types.NoneType:
        return value is None
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in arguments)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation is Path:
        return isinstance(value, str | Path)
    container = origin or annotation
    if not isinstance(container, type):
        return True
    if dataclasses.is_dataclass(container) and isinstance(value, Mapping):
        hints = typing.get_type_hints(container)
        return all(fits(entry, hints.get(key, Any)) for key, entry in value.items())
    if container is tuple and arguments and arguments[-1] is not ...:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(arguments)
            and all(fits(entry, kind) for entry, kind in zip(value, arguments, strict=True))
        )
    if issubclass(container, collections.abc.Mapping):
        return isinstance(value, Mapping) and all(fits(entry, arguments[1]) for entry in value.values() if arguments)
    if container is not str and issubclass(container, collections.abc.Iterable) and container.__module__ in _PLAIN:
        return isinstance(value, list | tuple) and all(fits(entry, arguments[0]) for entry in value if arguments)
    return isinstance(value, container)


_PLAIN = ("builtins", "collections.abc", "typing")
_WORDS = {
    int: "a whole number", float: "a number", bool: "True or False", str: "a text", Path: "a path",
    types.NoneType: "None", None: "None",
}  # fmt: skip


def described(annotation: Any) -> str:
    """An annotation in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Literal:
        return f"one of {', '.join(repr(choice) for choice in arguments)}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(described(choice) for choice in arguments))
    container = origin or annotation
    if container is tuple and arguments and arguments[-1] is not ...:
        return f"{len(arguments)} entries ({', '.join(described(kind) for kind in arguments)})"
    if isinstance(container, type) and issubclass(container, collections.abc.Mapping):
        return "a dictionary"
    if isinstance(container, type) and container.__module__ in _PLAIN:
        return f"a list of {described(arguments[0])} each" if arguments else "a list"
    if dataclasses.is_dataclass(container):
        fields = typing.get_type_hints(container).items()
        return f"a dictionary of {', '.join(f'{key} ({described(hint)})' for key, hint in fields)}"
    return f"of type {getattr(container, '__name__', container)}"
