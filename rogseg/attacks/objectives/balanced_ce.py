"""Masked cross-entropy in which every class has the same weight."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective, VoxelObjective
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.registry import OBJECTIVES

__all__ = ["BalancedCE", "balanced_weights"]


@OBJECTIVES.register_module()
class BalancedCE(VoxelObjective):
    """Cross-entropy of the voxels that are still right, times a weight of their true class, averaged over all voxels.

    Args:
        weights: of each class, the background first; None weighs the classes of each case by the inverse of how many
            voxels they have, so that the mean weight over its voxels is 1.

    Source: Croce, Singh and Hein 2024 (SEA), "balanced" cross-entropy, whose weights are computed beforehand; iterates
    are compared by plain cross-entropy, as there. Deviation: by default the weights come from the case's own targets,
    not from a data set's.
    """

    def __init__(self, weights: Sequence[float] | None = None) -> None:
        if weights is not None and not all(weight >= 0 for weight in weights):
            raise ValueError(f"weights are {list(weights)}, a class cannot weigh less than 0")
        self.weights = None if weights is None else tuple(weights)

    @property
    def ruler(self) -> Objective:
        """Plain cross-entropy."""
        return CrossEntropy()

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        num_classes = logits.shape[1]
        if self.weights is None:
            weights = balanced_weights(targets, num_classes)
        elif len(self.weights) == num_classes:
            weights = torch.tensor(self.weights, device=logits.device).expand(len(logits), -1)
        else:
            raise ValueError(
                f"{len(self.weights)} weights for {num_classes} classes: give one for each class of the model"
            )
        right = logits.detach().argmax(dim=1) == targets
        weight = weights.to(logits).gather(1, targets.flatten(1)).view_as(targets)
        return weight * F.cross_entropy(logits, targets, reduction="none") * right.to(logits.dtype)


def balanced_weights(targets: Tensor, num_classes: int) -> Tensor:
    """(number of voxels) / (number of classes present * voxels of the class), (B, K); 0 for a class that is absent."""
    counts = torch.stack([(targets == index).flatten(1).sum(1) for index in range(num_classes)], dim=1)
    num_present = (counts > 0).sum(1, keepdim=True)
    return torch.where(counts > 0, targets[0].numel() / (num_present * counts.clamp(min=1)), 0.0)
