"""NSD, the normalised surface Dice, computed by MONAI."""

import dataclasses
from typing import ClassVar

from torch import Tensor

from rogseg.metrics.base import Better, Bounds, Spacing
from rogseg.metrics.mask_pair import SurfaceMeasure
from rogseg.registry import METRICS

__all__ = ["NSD"]


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class NSD(SurfaceMeasure):
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

    def where_one_is_empty(self, shape: tuple[int, ...], spacing: Spacing) -> float:
        """Nothing of it is found, or nothing of what is found is right."""
        return 0.0

    def of_both(self, prediction: Tensor, target: Tensor, spacing: Spacing) -> Tensor:
        """The share."""
        from monai.metrics import compute_surface_dice

        share: Tensor = compute_surface_dice(
            prediction,
            target,
            class_thresholds=[self.tolerance],
            include_background=True,
            spacing=spacing,
            use_subvoxels=True,
        )
        return share
