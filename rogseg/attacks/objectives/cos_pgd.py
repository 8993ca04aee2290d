"""CosPGD's similarity-weighted cross-entropy."""

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective, VoxelObjective
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.registry import OBJECTIVES

__all__ = ["CosPGD"]


@OBJECTIVES.register_module()
class CosPGD(VoxelObjective):
    """Cross-entropy of each voxel times the cosine between its predicted distribution and the one-hot truth.

    The weight is a constant for the gradient, and is applied per voxel, before the mean.

    Source: Agnihotri et al. 2024, untargeted, softmax and constant weight as in their code. Deviation: iterates are
    compared by plain cross-entropy, since the weighted one falls where a voxel is lost for good; the paper takes the
    last iterate.
    """

    @property
    def ruler(self) -> Objective:
        """Plain cross-entropy."""
        return CrossEntropy()

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        with torch.no_grad():
            probabilities = logits.softmax(dim=1)
            # With a one-hot truth the cosine is the true class's probability over the norm of all.
            weight = probabilities.gather(1, targets[:, None])[:, 0] / probabilities.norm(dim=1)
        return weight * F.cross_entropy(logits, targets, reduction="none")
