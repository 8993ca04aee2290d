"""Lesions one by one: which share of them is found, and how many are found that are not there."""

import dataclasses
import math
from typing import ClassVar

import cc3d
import numpy as np
from numpy.typing import NDArray

from rogseg.metrics.base import Better, Bounds, Mask, Measure, Spacing
from rogseg.registry import METRICS

__all__ = ["LesionFalsePositives", "LesionSensitivity"]


@dataclasses.dataclass(frozen=True)
class _OfLesions(Measure):
    """What both measures share: a lesion is a connected component (26 neighbours) of a size.

    Args:
        min_overlap: share of a lesion's voxels that the other mask must cover for the two to meet; 0: one voxel.
        min_volume: lesions under it are left out [ml].
        max_volume: lesions of it and above are left out [ml]; None for no bound.

    Raises:
        ValueError: the bounds leave nothing, or the share is not from 0 to 1.
    """

    min_overlap: float = 0.0
    min_volume: float = 0.0
    max_volume: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_overlap <= 1:
            raise ValueError(f"min_overlap is a share from 0 to 1, got {self.min_overlap}")
        if not 0 <= self.min_volume < (math.inf if self.max_volume is None else self.max_volume):
            raise ValueError(f"no lesion lies between {self.min_volume} and {self.max_volume} ml")

    def _range(self) -> str:
        if self.max_volume is not None:
            size = f" {self.min_volume:g}-{self.max_volume:g} ml"
        else:
            size = f" from {self.min_volume:g} ml" if self.min_volume else ""
        return size + (f", overlap {self.min_overlap:g}" if self.min_overlap else "")

    def _met(self, lesions: Mask, other: Mask, spacing: Spacing) -> NDArray[np.bool_]:
        """For each lesion of the size: whether the other mask meets it."""
        labels = cc3d.connected_components(lesions, connectivity=26)
        sizes = np.bincount(labels.ravel())[1:]
        covered = np.bincount(labels[other], minlength=len(sizes) + 1)[1:]
        volumes = sizes * (math.prod(spacing) / 1000)
        chosen = (volumes >= self.min_volume) & (volumes < (math.inf if self.max_volume is None else self.max_volume))
        # Divided: 7 of 25 voxels are a share of 0.28, and 0.28 * 25 is above 7.
        met: NDArray[np.bool_] = ((covered > 0) & (covered / sizes >= self.min_overlap))[chosen]
        return met


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class LesionSensitivity(_OfLesions):
    """Share of the target's lesions that the prediction meets; nothing where the target has none of the size.

    Means are over cases: a case with one lesion counts as much as one with ten.
    """

    better: ClassVar[Better] = "higher"
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    @property
    def name(self) -> str:
        """With the size, so that several may be chosen."""
        return f"lesion sensitivity{self._range()}"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        met = self._met(target, prediction, spacing)
        return float(met.mean()) if len(met) else None


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class LesionFalsePositives(_OfLesions):
    """Number of predicted lesions that meet none of the target's; 0 where there is none, so that every case counts."""

    better: ClassVar[Better] = "lower"

    @property
    def name(self) -> str:
        """With the size of the predicted lesions, so that several may be chosen."""
        return f"false lesions{self._range()}"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        return float(np.count_nonzero(~self._met(prediction, target, spacing)))
