"""Cross-entropy."""

from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["CrossEntropy"]


@OBJECTIVES.register_module()
class CrossEntropy(VoxelObjective):
    """Negative log-probability of the true class.

    Source: Madry et al. 2018, for dense prediction averaged over voxels as in Daza et al. 2021.
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        return F.cross_entropy(logits, targets, reduction="none")
