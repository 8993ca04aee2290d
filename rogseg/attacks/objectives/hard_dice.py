"""Dice of the label map itself."""

import torch
from torch import Tensor

from rogseg.attacks.foreground import case_dice
from rogseg.attacks.objectives.base import Objective
from rogseg.metrics import mean_foreground_dice
from rogseg.registry import OBJECTIVES

__all__ = ["HardDice"]


@OBJECTIVES.register_module()
class HardDice(Objective):
    """One minus the mean Dice of the foreground classes that a case has: what is scored, for attacks without gradient.

    A case without foreground can only get false positives: there it is the share of voxels called foreground.

    Source: ours; the black-box counterpart of `SoftDice`. It is a step function, its gradient is zero.
    """

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        dice = mean_foreground_dice(case_dice(logits, targets))
        false_positives = (logits.argmax(dim=1) > 0).flatten(1).double().mean(dim=1)
        return torch.where(dice.isnan(), false_positives, 1 - dice).to(logits.dtype)
