"""When an attack has succeeded on a case."""

from abc import ABC, abstractmethod

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


@CRITERIA.register_module()
class DiceBelow(Criterion):
    """Mean foreground Dice of the case under a threshold; never for a case without foreground, which has no Dice.

    Source: Daza et al. 2021, section 3.1: the threshold is half of the mean clean Dice.
    """

    def __init__(self, threshold: float) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}, a Dice lies in [0, 1]")
        self.threshold = threshold

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool; False where the Dice is NaN."""
        return mean_foreground_dice(case_dice(logits, targets)) < self.threshold

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Cases with foreground."""
        return (targets > 0).flatten(1).any(dim=1)
