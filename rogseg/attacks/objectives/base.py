"""What an attack ascends: one number per case."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from rogseg.registry import OBJECTIVES

__all__ = ["Objective", "VoxelObjective", "build_objective"]


class Objective(ABC):
    """A differentiable number per case that grows as the segmentation gets worse."""

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""

    def at(self, progress: float) -> "Objective":
        """The objective to ascend after this share of the iterations, in [0, 1); most are the same throughout."""
        return self

    @property
    def ruler(self) -> "Objective":
        """The objective by which iterates are compared and the result is reported.

        It is the objective itself, save where that falls although more voxels are won or changes with the progress: the
        best iterate by such a measure would not be the worst case.
        """
        return self


class VoxelObjective(Objective):
    """An objective per voxel, averaged over the voxels of each case."""

    @abstractmethod
    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B, D, H, W)."""

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        return self.per_voxel(logits, targets).flatten(1).mean(dim=1)


def build_objective(objective: Objective | dict[str, Any]) -> Objective:
    """An objective from an instance or from a config of the OBJECTIVES registry."""
    return objective if isinstance(objective, Objective) else OBJECTIVES.build(objective)
