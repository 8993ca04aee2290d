"""SegPGD's weighted cross-entropy."""

from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective, VoxelObjective
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.registry import OBJECTIVES

__all__ = ["SegPGD"]


@OBJECTIVES.register_module()
class SegPGD(VoxelObjective):
    """Cross-entropy, weighted 1 - w where the voxel is still right and w where it is wrong; w grows from 0 to 1/2.

    Args:
        wrong_weight: w, in [0, 1/2]; an attack sets it through ``at``, to (t - 1) / (2 T) in iteration t of T.

    Source: Gu et al. 2022, algorithm 1. Deviation: iterates are compared by plain cross-entropy
    (twice the objective at w = 1/2), since the weighted one is another measure in each iteration; the paper takes the
    last iterate.
    """

    def __init__(self, wrong_weight: float = 0.0) -> None:
        if not 0 <= wrong_weight <= 0.5:
            raise ValueError(f"wrong_weight is {wrong_weight}, SegPGD's lies in [0, 0.5]")
        self.wrong_weight = wrong_weight

    def at(self, progress: float) -> "SegPGD":
        """The objective with half of the progress as the weight of wrong voxels."""
        return SegPGD(progress / 2)

    @property
    def ruler(self) -> Objective:
        """Plain cross-entropy."""
        return CrossEntropy()

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        wrong = (logits.detach().argmax(dim=1) != targets).to(logits.dtype)
        weight = wrong * self.wrong_weight + (1 - wrong) * (1 - self.wrong_weight)
        return weight * F.cross_entropy(logits, targets, reduction="none")
