"""Difference of logits ratio."""

from torch import Tensor

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["DLR"]


@OBJECTIVES.register_module()
class DLR(VoxelObjective):
    """-(z_y - max_{i != y} z_i) / (z_(1) - z_(3)), unchanged by shifting and scaling the logits.

    Raises:
        ValueError: with two classes, where there is no third logit.

    Source: Croce and Hein 2020, equation 6, per voxel and then averaged.
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        if logits.shape[1] < 3:
            raise ValueError(
                f"DLR needs at least 3 classes, the model has {logits.shape[1]}: "
                "use dict(type='Margin') for two classes"
            )
        highest, classes = logits.topk(3, dim=1)
        true = logits.gather(1, targets[:, None])[:, 0]
        # Products instead of torch.where, so that the rounding of the gradient is that of the published formula.
        correct = (classes[:, 0] == targets).to(logits.dtype)
        other = highest[:, 1] * correct + highest[:, 0] * (1 - correct)
        return -(true - other) / (highest[:, 0] - highest[:, 2] + 1e-12)
