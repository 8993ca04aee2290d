"""Soft Dice."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective
from rogseg.registry import OBJECTIVES

__all__ = ["SoftDice"]


@OBJECTIVES.register_module()
class SoftDice(Objective):
    """One minus the mean soft Dice of the foreground classes that the case has.

    A case without foreground can only get false positives: there it is the mean probability of foreground.

    Args:
        classes: the class indices that make up each foreground class, as `System.class_indices`; None is each index by
            itself.

    Source: Milletari et al. 2016 with the sum of probabilities in the denominator (not of their squares), per case.
    """

    def __init__(self, classes: Sequence[Sequence[int]] | None = None) -> None:
        self.classes = classes

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        probabilities = logits.softmax(dim=1).flatten(2)
        true = F.one_hot(targets.flatten(1), logits.shape[1]).transpose(1, 2)
        if self.classes is not None:
            probabilities, true = self._joined(probabilities), self._joined(true)
        size = true.sum(dim=2)[:, 1:]
        overlap = (probabilities * true).sum(dim=2)[:, 1:]
        # At least 1 for a class that the case has; another is not asked for, and its probabilities may all be 0.
        dice = 2 * overlap / (probabilities.sum(dim=2)[:, 1:] + size).clamp_min(1)
        present = (size > 0).to(logits.dtype)
        num_present = present.sum(dim=1)
        mean_dice = (dice * present).sum(dim=1) / num_present.clamp_min(1)
        return torch.where(num_present > 0, 1 - mean_dice, 1 - probabilities[:, 0].mean(dim=1))

    def _joined(self, values: Tensor) -> Tensor:
        """(B, K, N) -> (B, 1 + number of classes, N), the background first."""
        assert self.classes is not None, "there is nothing to join"
        parts = (values[:, list(indices)].sum(dim=1, keepdim=True) for indices in self.classes)
        return torch.cat([values[:, :1], *parts], dim=1)
