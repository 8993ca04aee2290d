"""When the volume of an organ is wrong, or a class appears where none is."""

from typing import Literal, get_args

import torch
from torch import Tensor

from rogseg.attacks.criteria.base import Criterion
from rogseg.attacks.foreground import class_index
from rogseg.registry import CRITERIA

__all__ = ["ClassAppears", "Direction", "VolumeOff"]

Direction = Literal["over", "under"]


@CRITERIA.register_module()
class VolumeOff(Criterion):
    """The predicted volume is off by at least a share of the true one, in one direction; never where there is none.

    For a hippocampus the volume is the biomarker: a perturbation that keeps the Dice and moves the volume moves the
    diagnosis.

    Args:
        direction: "over" for a volume that is too large, "under" for one that is too small.
        share: of the true volume.
        target_class: foreground class, -1 the last one; None is all of the foreground as one organ.
    """

    def __init__(self, direction: Direction, share: float = 0.2, target_class: int | None = None) -> None:
        if direction not in get_args(Direction):
            raise ValueError(f"direction is {direction!r}, expected 'over' or 'under'")
        if share <= 0 or (direction == "under" and share > 1):
            raise ValueError(f"share is {share}, expected more than 0 and, for 'under', at most 1")
        self.direction = direction
        self.share = share
        self.target_class = target_class

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""
        return self.nearness(logits, targets) >= self.share

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The error of the volume as a share of the true one, positive in the direction that is asked for."""
        true = _size(targets, self.target_class, logits.shape[1])
        predicted = _size(logits.argmax(1), self.target_class, logits.shape[1])
        error = (predicted - true) / true.where(true > 0, torch.nan)
        return error if self.direction == "over" else -error

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Cases that have the organ."""
        return _size(targets, self.target_class, num_classes) > 0


def _size(labels: Tensor, target_class: int | None, num_classes: int) -> Tensor:
    """Voxels of a class or of all foreground, (B,) float64."""
    mask = labels > 0 if target_class is None else labels == class_index(target_class, num_classes)
    return mask.flatten(1).sum(1, dtype=torch.float64)


@CRITERIA.register_module()
class ClassAppears(Criterion):
    """At least so many voxels of a class are found in a case that has none: a lesion in a healthy organ.

    Args:
        target_class: foreground class; -1 is the last one.
        num_voxels: that must be found.
    """

    def __init__(self, target_class: int = -1, num_voxels: int = 10) -> None:
        if num_voxels < 1:
            raise ValueError(f"num_voxels is {num_voxels}, expected at least 1")
        self.target_class = target_class
        self.num_voxels = num_voxels

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""
        return self.nearness(logits, targets) >= self.num_voxels

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """How many voxels of the class are found."""
        found = _size(logits.argmax(1), self.target_class, logits.shape[1])
        return found.where(self.applies(targets, logits.shape[1]), torch.nan)

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Cases without the class."""
        return _size(targets, self.target_class, num_classes) == 0
