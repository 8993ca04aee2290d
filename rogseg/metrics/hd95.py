"""HD95, the 95th percentile of the Hausdorff distance, computed by MONAI."""

import dataclasses
import math
from typing import ClassVar

from torch import Tensor

from rogseg.metrics.base import Better, Spacing
from rogseg.metrics.mask_pair import SurfaceMeasure
from rogseg.registry import METRICS

__all__ = ["HD95"]


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class HD95(SurfaceMeasure):
    """95th percentile of the distances from either surface to the other, the larger direction.

    Nothing where both lack the class. Where one lacks it: the diagonal of the volume, the farthest that two voxels of
    it can lie apart; an undefined distance that is left out of the mean would reward a network for finding nothing.
    """

    unit: ClassVar[str] = "mm"
    better: ClassVar[Better] = "lower"

    @property
    def name(self) -> str:
        """What records and tables call it."""
        return "HD95"

    def where_one_is_empty(self, shape: tuple[int, ...], spacing: Spacing) -> float:
        """The diagonal of the volume."""
        return math.hypot(*(length * step for length, step in zip(shape, spacing, strict=True)))

    def of_both(self, prediction: Tensor, target: Tensor, spacing: Spacing) -> Tensor:
        """The distance [mm]."""
        from monai.metrics import compute_hausdorff_distance

        distance: Tensor = compute_hausdorff_distance(
            prediction, target, include_background=True, percentile=95, spacing=spacing
        )
        return distance
