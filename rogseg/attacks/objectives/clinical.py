"""What a clinic asks: lesions that vanish one by one, a volume that is off, a class that appears."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.foreground import class_index
from rogseg.attacks.lesions import lesion_labels
from rogseg.attacks.objectives.base import Objective
from rogseg.attacks.objectives.remove_class import log_odds
from rogseg.registry import OBJECTIVES

__all__ = ["ChangeVolume", "PlantClass", "RemoveLesions"]


@OBJECTIVES.register_module()
class RemoveLesions(Objective):
    """log(1 - p) of a class, averaged over the voxels of each lesion and then over lesions; 0 in a case without one.

    A small lesion counts as much as a large one, which an average over voxels would let win alone.

    Args:
        target_class: foreground class; -1 is the last one.

    Source: ours; `RemoveClass` per connected component.
    """

    def __init__(self, target_class: int = -1) -> None:
        self.target_class = target_class

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        wanted = class_index(self.target_class, logits.shape[1])
        lost = -F.softplus(log_odds(logits, wanted))
        values = []
        for case, lesions in zip(lost, lesion_labels(targets, wanted), strict=True):
            number = int(lesions.max())
            sizes = torch.bincount(lesions.flatten(), minlength=number + 1)[1:]
            sums = case.new_zeros(number + 1).index_add(0, lesions.flatten(), case.flatten())[1:]
            values.append((sums / sizes).mean() if number else 0 * case.sum())
        return torch.stack(values)


@OBJECTIVES.register_module()
class ChangeVolume(Objective):
    """Sum of the probabilities of an organ over its true size, minus one; with the sign turned for "under".

    A case without the organ counts the mean probability.

    Args:
        direction: "over" to make it larger, "under" to make it smaller.
        target_class: foreground class, -1 the last one; None is all of the foreground as one organ.

    Source: ours; the relative volume error with probabilities for labels.
    """

    def __init__(self, direction: Literal["over", "under"], target_class: int | None = None) -> None:
        if direction not in ("over", "under"):
            raise ValueError(f"direction is {direction!r}, expected 'over' or 'under'")
        self.sign = 1 if direction == "over" else -1
        self.target_class = target_class

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        probabilities = logits.softmax(dim=1)
        if self.target_class is None:
            organ, true = 1 - probabilities[:, 0], targets > 0
        else:
            wanted = class_index(self.target_class, logits.shape[1])
            organ, true = probabilities[:, wanted], targets == wanted
        size = true.flatten(1).sum(1)
        volume = organ.flatten(1).sum(1)
        relative = torch.where(size > 0, volume / size.clamp(min=1) - 1, volume / targets[0].numel())
        return self.sign * relative


@OBJECTIVES.register_module()
class PlantClass(Objective):
    """log(p) of a class, averaged over the voxels outside of it that are nearest to being taken for it.

    Spread over the whole volume, as `GrowClass` does it, the effort would make nothing appear anywhere.

    Args:
        target_class: foreground class; -1 is the last one.
        num_voxels: how many voxels.

    Source: ours.
    """

    def __init__(self, target_class: int = -1, num_voxels: int = 100) -> None:
        if num_voxels < 1:
            raise ValueError(f"num_voxels is {num_voxels}, expected at least 1")
        self.target_class = target_class
        self.num_voxels = num_voxels

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        wanted = class_index(self.target_class, logits.shape[1])
        odds = log_odds(logits, wanted).masked_fill(targets == wanted, -torch.inf).flatten(1)
        nearest = odds.topk(min(self.num_voxels, odds.shape[1]), dim=1).values
        outside = nearest.isfinite()
        return -(F.softplus(-nearest.masked_fill(~outside, 0)) * outside).sum(1) / outside.sum(1).clamp(min=1)
