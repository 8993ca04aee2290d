"""When an attack has succeeded on a case, and which of two volumes is the worse one."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from rogseg.attacks.foreground import case_dice
from rogseg.metrics import mean_foreground_dice
from rogseg.registry import CRITERIA

__all__ = ["Criterion", "DiceBelow"]


class Criterion(ABC):
    """Whether the adversary has reached its aim on each case."""

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""

    @abstractmethod
    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Whether a case can fall at all: (B, D, H, W) targets -> (B,) bool. Others are no success and no failure."""

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """How near to the aim each case is, (B,) float64, higher is nearer; NaN where that means nothing.

        Here the mean foreground Dice, negated. A criterion whose aim is another says how near that one is.
        """
        return -mean_foreground_dice(case_dice(logits, targets))

    @final
    def rank(self, logits: Tensor, targets: Tensor) -> Tensor:
        """By which the volumes of a case are compared, (B,) float64: a success beats a failure, then the nearer wins.

        Minus infinity for a failure whose nearness means nothing: it never beats another.
        """
        nearness = self.nearness(logits, targets).double()
        within = nearness / (1 + nearness.abs())  # between -1 and 1, in the same order
        success = self(logits, targets)
        unknown = torch.where(success, 0.0, -torch.inf).to(within)
        return 2.0 * success.double() + torch.where(nearness.isnan(), unknown, within)


@CRITERIA.register_module()
class DiceBelow(Criterion):
    """Mean foreground Dice of the case under a threshold; never for a case without foreground, which has no Dice.

    Args:
        threshold: of the mean Dice.
        classes: the class indices that make up each foreground class, as `System.class_indices`: regions may share
            some. None is each index by itself.

    Source: Daza et al. 2021, section 3.1: the threshold is half of the mean clean Dice.
    """

    def __init__(self, threshold: float, classes: Sequence[Sequence[int]] | None = None) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}, a Dice lies in [0, 1]")
        self.threshold = threshold
        self.classes = classes

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool; False where the Dice is NaN."""
        return -self.nearness(logits, targets) < self.threshold

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean Dice of the classes that the case has, negated; NaN without foreground."""
        return -mean_foreground_dice(case_dice(logits, targets, self.classes))

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Cases with foreground."""
        return (targets > 0).flatten(1).any(dim=1)
