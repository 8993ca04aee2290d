"""When one class has vanished, or has grown too large."""

from typing import final

import torch
from torch import Tensor

from rogseg.attacks.criteria.base import Criterion
from rogseg.attacks.foreground import class_index
from rogseg.registry import CRITERIA

__all__ = ["ClassGrown", "ClassVanished"]


class ClassCriterion(Criterion):
    """Judges one class; only cases that truly have it can fall.

    Args:
        target_class: foreground class; -1 is the last one.
    """

    def __init__(self, target_class: int) -> None:
        self.target_class = target_class

    @final
    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        """Cases with the class."""
        return (targets == class_index(self.target_class, num_classes)).flatten(1).any(dim=1)


@CRITERIA.register_module()
class ClassVanished(ClassCriterion):
    """At most a share of the true voxels of a class is still found; never in a case without the class.

    Args:
        target_class: foreground class; -1 is the last one.
        share: of the true voxels.
    """

    def __init__(self, target_class: int = -1, share: float = 0.1) -> None:
        if not 0 <= share < 1:
            raise ValueError(f"share is {share}, expected [0, 1)")
        super().__init__(target_class)
        self.share = share

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""
        found, size = self._voxels(logits, targets)
        return (size > 0) & (found <= self.share * size)

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The share of the true voxels that is still found, negated."""
        found, size = self._voxels(logits, targets)
        return -found.double() / size

    def _voxels(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The true voxels of the class that are found, and all of them, (B,) each."""
        index = class_index(self.target_class, logits.shape[1])
        true = (targets == index).flatten(1)
        return (true & (logits.argmax(1) == index).flatten(1)).sum(1), true.sum(1)


@CRITERIA.register_module()
class ClassGrown(ClassCriterion):
    """The predicted volume of a class is at least a multiple of the true one; never in a case without the class.

    Args:
        target_class: foreground class; -1 is the last one.
        factor: over 1.
    """

    def __init__(self, target_class: int = -1, factor: float = 2.0) -> None:
        if factor <= 1:
            raise ValueError(f"factor is {factor}, expected more than 1")
        super().__init__(target_class)
        self.factor = factor

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""
        predicted, size = self._voxels(logits, targets)
        return (size > 0) & (predicted >= self.factor * size)

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The predicted volume as a multiple of the true one."""
        predicted, size = self._voxels(logits, targets)
        return (predicted.double() / size).where(size > 0, torch.nan)

    def _voxels(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted voxels of the class, and the true ones, (B,) each."""
        index = class_index(self.target_class, logits.shape[1])
        return (logits.argmax(1) == index).flatten(1).sum(1), (targets == index).flatten(1).sum(1)
