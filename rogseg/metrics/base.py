"""Measure: what any measure of a segmentation is, and all chosen measures of a case at once."""

import dataclasses
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rogseg.registry import METRICS

__all__ = ["Better", "Bounds", "Mask", "Measure", "Spacing", "build_measures", "heading_of", "measure_classes"]

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
Better = Literal["higher", "lower", "zero"]
Bounds = tuple[float | None, float | None]
ROUNDING = 1e-9


class Measure(ABC):
    """One number for one class of one case, from two masks.

    A measure is a frozen dataclass: its fields are its options, and records hold its values under its ``name``, so
    options that change the value belong into the name. ``better`` says what a good value is, ``bounds`` what a value
    cannot leave.
    """

    unit: ClassVar[str] = ""
    better: ClassVar[Better]
    bounds: ClassVar[Bounds] = (0.0, None)

    @property
    @abstractmethod
    def name(self) -> str:
        """What records and tables call it."""

    @abstractmethod
    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class.

        Args:
            prediction: (D, H, W) bool.
            target: (D, H, W) bool.
            spacing: of the voxels [mm].

        Returns:
            The value [``unit``]; None where the measure says nothing, such as Dice of a class that both lack.
        """

    @property
    def heading(self) -> str:
        """What stands above its values in tables; see `heading_of`."""
        return heading_of(self.name, self.unit, self.better)

    def describe(self) -> dict[str, Any]:
        """What the identity of an evaluation says about it. JSON data."""
        options = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {
            "type": type(self).__name__,
            "name": self.name,
            "unit": self.unit,
            "better": self.better,
            "bounds": list(self.bounds),
            **options,
        }


def heading_of(name: str, unit: str, better: str) -> str:
    """Name and unit of a measure, as they stand above its means.

    What is best at zero is called signed: in a mean, over classes or over cases, too much and too little cancel.
    """
    words = f"signed {name}" if better == "zero" else name
    return f"{words} [{unit}]" if unit else words


def build_measures(configs: Sequence[Mapping[str, Any]]) -> tuple[Measure, ...]:
    """Build the measures of a config, ``measures=[dict(type="Dice"), ...]``.

    Raises:
        ValueError: there is none, two have one name, or one does not say what a reader of its values must know.
    """
    measures: tuple[Measure, ...] = tuple(METRICS.build(dict(config)) for config in configs)
    for measure in measures:
        _check_description(measure)
    names = [measure.name for measure in measures]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not measures:
        raise ValueError(f"measures: {doubled[0]!r} stands there twice" if doubled else "measures: none is chosen")
    return measures


def measure_classes(
    measures: Sequence[Measure],
    prediction: NDArray[np.integer[Any]],
    target: NDArray[np.integer[Any]],
    spacing: Spacing,
    classes: Sequence[Sequence[int]],
) -> dict[str, tuple[float | None, ...]]:
    """All measures of a case: by name, a value per foreground class.

    Args:
        measures: the chosen ones.
        prediction: (D, H, W) labels.
        target: (D, H, W) labels.
        spacing: of the voxels [mm].
        classes: the labels that make up each foreground class; a region has several, and regions may overlap.

    Raises:
        ValueError: the shapes differ or are not three-dimensional, or a measure gives what is no value of it.
    """
    if prediction.shape != target.shape or prediction.ndim != 3:
        raise ValueError(
            f"prediction and target must be (D, H, W) of one shape, got {prediction.shape} and {target.shape}"
        )
    values: dict[str, list[float | None]] = {measure.name: [] for measure in measures}
    for labels in classes:
        ours, true = np.isin(prediction, labels), np.isin(target, labels)
        for measure in measures:
            # One of the user's own may write into its masks, which are the next one's, too.
            is_ours = type(measure).__module__.startswith("rogseg.")
            given = (ours, true) if is_ours else (ours.copy(), true.copy())
            values[measure.name].append(_checked(measure, measure(*given, spacing)))
    return {name: tuple(per_class) for name, per_class in values.items()}


def _check_description(measure: Measure) -> None:
    name, better, bounds = (getattr(measure, key, None) for key in ("name", "better", "bounds"))
    kind = type(measure).__name__
    if not hasattr(type(measure), "__dataclass_fields__"):
        raise ValueError(f"measures: {kind} is no dataclass: put @dataclasses.dataclass(frozen=True) above its class")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"measures: the name of {kind} is {name!r}; give it a text, which records and tables have")
    if better not in get_args(Better):
        raise ValueError(f"measures: better of {kind} is {better!r}; say one of {', '.join(get_args(Better))}")
    numbers_alone = isinstance(bounds, tuple) and all(end is None or isinstance(end, int | float) for end in bounds)
    if not numbers_alone or len(bounds or ()) != 2:
        raise ValueError(f"measures: bounds of {kind} are {bounds!r}; give two numbers, or None for no bound")


def _checked(measure: Measure, value: Any) -> float | None:
    if value is None:
        return None
    lowest, highest = measure.bounds
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    number = float(value) if is_number else math.nan
    if not math.isfinite(number):
        said = f"{value!r}, a {type(value).__name__}"
    elif (lowest is not None and number < lowest - ROUNDING) or (highest is not None and number > highest + ROUNDING):
        said = f"{value!r}, beyond its bounds {measure.bounds}"
    else:
        return number
    raise ValueError(
        f"the measure {measure.name!r} ({type(measure).__name__}) gave {said:.200}; let it give a finite number within "
        "its bounds, or None where it says nothing"
    )
