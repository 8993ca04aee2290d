"""Dice of the label map itself."""

import torch
from torch import Tensor

from rogseg.attacks.objectives.base import Objective
from rogseg.metrics import dice_per_class, mean_foreground_dice
from rogseg.registry import OBJECTIVES

__all__ = ["HardDice"]


@OBJECTIVES.register_module()
class HardDice(Objective):
    """One minus the mean foreground Dice of the case: what is scored, for attacks that need no gradient.

    A case without foreground can only get false positives: there it is the share of voxels called foreground.

    Source: ours; the black-box counterpart of `SoftDice`. It is a step function, its gradient is zero.
    """

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        prediction = logits.argmax(dim=1)
        dice = mean_foreground_dice(dice_per_class(prediction, targets, logits.shape[1]))
        has_foreground = (targets > 0).flatten(1).any(dim=1)
        false_positives = (prediction > 0).flatten(1).double().mean(dim=1)
        return torch.where(has_foreground, 1 - dice, false_positives).to(logits.dtype)
