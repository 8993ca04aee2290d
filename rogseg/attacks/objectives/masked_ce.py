"""Masked cross-entropy."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective, VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["FlooredMaskedCE", "MaskedCE"]


@OBJECTIVES.register_module()
class MaskedCE(VoxelObjective):
    """Cross-entropy of the voxels that are still right; wrong ones count 0. Averaged over all voxels.

    Source: Croce, Singh and Hein 2024 (SEA). Deviation: iterates are compared by `FlooredMaskedCE`, since
    this one is 0 where the attack has won everywhere.
    """

    @property
    def ruler(self) -> Objective:
        """The same with a constant for wrong voxels."""
        return FlooredMaskedCE()

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        right = logits.detach().argmax(dim=1) == targets
        return F.cross_entropy(logits, targets, reduction="none") * right.to(logits.dtype)


@OBJECTIVES.register_module()
class FlooredMaskedCE(VoxelObjective):
    """Masked cross-entropy with log K for a wrong voxel: the same gradient, but never lower for more wrong voxels.

    The true class of a voxel that is right has the highest of K probabilities, at least 1 / K, so its cross-entropy is
    at most log K; a voxel that turns wrong therefore never lowers the mean.
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        right = logits.detach().argmax(dim=1) == targets
        return torch.where(right, F.cross_entropy(logits, targets, reduction="none"), math.log(logits.shape[1]))
