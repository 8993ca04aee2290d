"""How much of a class there is: the error of its volume, and the volume of a class that should not be there."""

import dataclasses
from typing import ClassVar

import numpy as np

from rogseg.metrics.base import Better, Bounds, Mask, Measure, Spacing
from rogseg.registry import METRICS

__all__ = ["FalseVolume", "VolumeError", "volume_ml"]


def volume_ml(mask: Mask, spacing: Spacing) -> float:
    """Volume of a mask [ml]."""
    return float(np.count_nonzero(mask) * np.prod(spacing) / 1000)


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class VolumeError(Measure):
    """Volume of the prediction less that of the target: above 0 is too much. Nothing where both lack the class."""

    unit: ClassVar[str] = "ml"
    better: ClassVar[Better] = "zero"
    bounds: ClassVar[Bounds] = (None, None)

    @property
    def name(self) -> str:
        """What records and tables call it."""
        return "volume error"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        if not (prediction.any() or target.any()):
            return None
        return volume_ml(prediction, spacing) - volume_ml(target, spacing)


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class FalseVolume(Measure):
    """What is predicted of a class that the target lacks; nothing where the target has it.

    Dice itself is 0 there, as in records of what is measured in the grid of the files (tests, corruptions, scores of
    predictions): one voxel takes it from nothing to 0, and with it the mean of the case. Records of attacks and
    transfers, and of the clean cases beside them, hold no Dice of a class that the target lacks, since an attack can
    take nothing of it away (`rogseg.engine.attacking.measured_case.measured`); this measure alone tells of it. Reports
    count both by it.
    """

    unit: ClassVar[str] = "ml"
    better: ClassVar[Better] = "lower"

    @property
    def name(self) -> str:
        """What records and tables call it."""
        return "false volume"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        return None if target.any() else volume_ml(prediction, spacing)
