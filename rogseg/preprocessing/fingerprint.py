"""The fingerprint of a dataset: what its training cases say about sizes and intensities."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from rogseg.preprocessing.measurement import CaseMeasurement

__all__ = ["ClassSize", "Fingerprint", "IntensityStatistics", "compute_fingerprint"]

MAX_THIRD_AXIS = 160
PERCENTILES = (0.5, 99.5)


@dataclasses.dataclass(frozen=True)
class ClassSize:
    """Mean bounding box and volume [voxels at the median spacing] of a class over the cases that have it; 0 if none."""

    name: str
    box: tuple[float, float, float]
    volume: float


@dataclasses.dataclass(frozen=True)
class IntensityStatistics:
    """Pooled foreground intensities of a channel, [HU] or fractions of each case's range where ``rescaled``."""

    modality: str
    rescaled: bool
    lower: float
    upper: float
    mean: float
    std: float


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """Median size [voxels at the median spacing, third axis capped at 160] and spacing [mm], classes, intensities."""

    num_cases: int
    median_shape: tuple[float, float, float]
    median_spacing: tuple[float, float, float]
    classes: tuple[ClassSize, ...]
    intensities: tuple[IntensityStatistics, ...]

    @property
    def smallest_class(self) -> ClassSize:
        """The class with the smallest mean volume."""
        return min(self.classes, key=lambda entry: entry.volume)

    @property
    def biggest_class(self) -> ClassSize:
        """The class with the largest mean volume."""
        return max(self.classes, key=lambda entry: entry.volume)

    def to_json(self) -> dict[str, Any]:
        """The fingerprint as plain JSON data."""
        data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        data["smallest_class"], data["biggest_class"] = self.smallest_class.name, self.biggest_class.name
        return data


def compute_fingerprint(
    measurements: Sequence[CaseMeasurement], modalities: Sequence[str], class_names: Sequence[str]
) -> Fingerprint:
    """Pool the measurements of the training cases.

    Raises:
        ValueError: there is no case, or none has foreground.
    """
    if not any(case.num_foreground for case in measurements):
        raise ValueError("a fingerprint needs at least one training case whose label holds foreground")
    spacings = np.array([case.spacing for case in measurements])
    spacing = np.median(spacings, axis=0)
    shapes = np.array([case.shape for case in measurements]) * spacings / spacing
    shape = np.median(shapes, axis=0)
    shape[2] = min(shape[2], MAX_THIRD_AXIS)
    classes = tuple(
        _class_size(measurements, spacings / spacing, index, name) for index, name in enumerate(class_names, start=1)
    )
    intensities = tuple(_statistics(measurements, channel, modality) for channel, modality in enumerate(modalities))
    first, second, third = shape.tolist()
    step_1, step_2, step_3 = spacing.tolist()
    return Fingerprint(len(measurements), (first, second, third), (step_1, step_2, step_3), classes, intensities)


def _class_size(measurements: Sequence[CaseMeasurement], scales: Any, index: int, name: str) -> ClassSize:
    having = [place for place, case in enumerate(measurements) if index in case.class_voxels]
    if not having:
        return ClassSize(name, (0.0, 0.0, 0.0), 0.0)
    boxes = [np.array(measurements[place].class_boxes[index]) * scales[place] for place in having]
    volumes = [measurements[place].class_voxels[index] * float(np.prod(scales[place])) for place in having]
    first, second, third = np.mean(boxes, axis=0).tolist()
    return ClassSize(name, (first, second, third), float(np.mean(volumes)))


def _statistics(measurements: Sequence[CaseMeasurement], channel: int, modality: str) -> IntensityStatistics:
    count = sum(case.num_foreground for case in measurements)
    mean = sum(case.sums[channel] for case in measurements) / count
    variance = sum(case.squared_sums[channel] for case in measurements) / count - mean**2
    # Each of the evenly spaced quantiles of a case stands for as many of its voxels as any other.
    having = [case for case in measurements if case.num_foreground]
    values = np.concatenate([case.quantiles[channel] for case in having])
    weights = np.concatenate(
        [np.full(len(case.quantiles[channel]), case.num_foreground / len(case.quantiles[channel])) for case in having]
    )
    order = np.argsort(values, kind="stable")
    shares = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum() * 100
    lower, upper = np.interp(PERCENTILES, shares, values[order]).tolist()
    rescaled = measurements[0].rescaled[channel]
    return IntensityStatistics(modality, rescaled, lower, upper, mean, float(np.sqrt(max(variance, 0.0))))
