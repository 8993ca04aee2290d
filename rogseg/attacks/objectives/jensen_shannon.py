"""Jensen-Shannon divergence from the truth."""

import math

from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["JensenShannon"]


@OBJECTIVES.register_module()
class JensenShannon(VoxelObjective):
    """Jensen-Shannon divergence between predicted distribution and one-hot truth, in [0, log 2].

    With a one-hot truth it depends on the true class's probability p alone:
    log 2 + (p log p - (1 + p) log(1 + p)) / 2. Its gradient fades on voxels that are lost, which leaves the attack to
    the others.

    Source: Croce, Singh and Hein 2024 (SEA).
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        log_true = -F.cross_entropy(logits, targets, reduction="none")
        true = log_true.exp()
        return math.log(2) + 0.5 * (true * log_true - (1 + true) * true.log1p())
