"""Margin."""

import torch
from torch import Tensor

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["Margin"]


@OBJECTIVES.register_module()
class Margin(VoxelObjective):
    """Highest logit of another class minus that of the true class; positive where the voxel is wrong.

    Source: Carlini and Wagner 2017, function f_6 without its floor, as Square's margin (Andriushchenko et al. 2020).
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        index = targets[:, None]
        other = logits.scatter(1, index, -torch.inf).amax(dim=1)
        return other - logits.gather(1, index)[:, 0]
