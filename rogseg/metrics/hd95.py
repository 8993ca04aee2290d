"""HD95, the 95th percentile of the Hausdorff distance, computed by MONAI."""

import dataclasses
import math
from typing import ClassVar

import torch

from rogseg.metrics.base import Better, Mask, Measure, Spacing
from rogseg.metrics.mask_pair import cut_to_both, without_monai_deprecations
from rogseg.registry import METRICS

__all__ = ["HD95"]


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class HD95(Measure):
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

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        pair = cut_to_both(prediction, target)
        if pair is None:
            return None
        if not all(mask.any() for mask in pair):
            return math.hypot(*(length * step for length, step in zip(prediction.shape, spacing, strict=True)))
        # MONAI takes seconds to import, which whoever only needs Dice should not pay.
        from monai.metrics import compute_hausdorff_distance

        ours, true = (torch.from_numpy(mask)[None, None] for mask in pair)
        with without_monai_deprecations():
            distance = compute_hausdorff_distance(ours, true, include_background=True, percentile=95, spacing=spacing)
        return float(distance)
