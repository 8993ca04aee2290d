"""NSD, the normalised surface Dice, computed by MONAI."""

import dataclasses
from typing import ClassVar

import torch

from rogseg.metrics.base import Better, Bounds, Mask, Measure, Spacing
from rogseg.metrics.mask_pair import cut_to_both, without_monai_deprecations
from rogseg.registry import METRICS

__all__ = ["NSD"]


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class NSD(Measure):
    """Share of the two surfaces that lies within a tolerance of the other one.

    Nothing where both lack the class, 0 where one lacks it.

    Args:
        tolerance: the distance that counts as no error [mm]; it stands in the name.

    Raises:
        ValueError: the tolerance is not above 0.

    Source: Nikolov et al. 2018, with surface elements weighted by their area, as the Decathlon's own evaluation does.
    """

    better: ClassVar[Better] = "higher"
    bounds: ClassVar[Bounds] = (0.0, 1.0)
    tolerance: float

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"the tolerance of NSD must be above 0 mm, got {self.tolerance}")

    @property
    def name(self) -> str:
        """With the tolerance, without which the number means nothing."""
        return f"NSD {self.tolerance:g} mm"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        pair = cut_to_both(prediction, target)
        if pair is None:
            return None
        if not all(mask.any() for mask in pair):
            return 0.0
        # MONAI takes seconds to import, which whoever only needs Dice should not pay.
        from monai.metrics import compute_surface_dice

        ours, true = (torch.from_numpy(mask)[None, None] for mask in pair)
        with without_monai_deprecations():
            score = compute_surface_dice(
                ours,
                true,
                class_thresholds=[self.tolerance],
                include_background=True,
                spacing=spacing,
                use_subvoxels=True,
            )
        return float(score)
