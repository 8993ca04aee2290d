"""Difference of logits ratio towards a class."""

from torch import Tensor

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["TargetedDLR", "targeted_dlr"]


def targeted_dlr(logits: Tensor, targets: Tensor, aims: Tensor) -> Tensor:
    """-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2), per voxel.

    Args:
        logits: (B, K, D, H, W), at least four classes.
        targets: (B, D, H, W), the true class y.
        aims: (B, D, H, W), the class t that the adversary wants.

    Returns:
        (B, D, H, W); 0 where the true class is the one wanted.

    Raises:
        ValueError: with fewer than four classes.
    """
    if logits.shape[1] < 4:
        raise ValueError(
            f"targeted DLR needs at least 4 classes, the model has {logits.shape[1]}: use dict(type='DLR') from three "
            "classes on and dict(type='Margin') for two"
        )
    highest = logits.topk(4, dim=1).values
    true = logits.gather(1, targets[:, None])[:, 0]
    wanted = logits.gather(1, aims[:, None])[:, 0]
    return -(true - wanted) / (highest[:, 0] - 0.5 * (highest[:, 2] + highest[:, 3]) + 1e-12)


@OBJECTIVES.register_module()
class TargetedDLR(VoxelObjective):
    """Targeted DLR with one wanted class for every voxel; voxels that truly are of this class count 0.

    Args:
        target_class: the class that the adversary wants.

    Source: Croce and Hein 2020, equation 7, per voxel and then averaged. Deviation: the paper takes the target from the
    clean ranking of each image; here it is a class of the task (`targeted_dlr` takes any map of wanted classes).
    """

    def __init__(self, target_class: int) -> None:
        self.target_class = target_class

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
        if not 0 <= self.target_class < logits.shape[1]:
            raise ValueError(f"target_class is {self.target_class}, the model has classes 0 to {logits.shape[1] - 1}")
        return targeted_dlr(logits, targets, targets.new_full(targets.shape, self.target_class))
