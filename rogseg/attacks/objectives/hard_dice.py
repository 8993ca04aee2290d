"""Dice of the label map itself."""

from collections.abc import Sequence

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

    Args:
        classes: the class indices that make up each foreground class, as `System.class_indices`; None is each index by
            itself.

    Source: ours; the black-box counterpart of `SoftDice`. It is a step function, its gradient is zero.
    """

    def __init__(self, classes: Sequence[Sequence[int]] | None = None) -> None:
        self.classes = classes

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        dice = mean_foreground_dice(case_dice(logits, targets, self.classes))
        false_positives = (logits.argmax(dim=1) > 0).flatten(1).double().mean(dim=1)
        return torch.where(dice.isnan(), false_positives, 1 - dice).to(logits.dtype)
