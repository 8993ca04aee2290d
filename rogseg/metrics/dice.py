"""Dice, the one definition that training, attacks, tests and reports share."""

import dataclasses
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rogseg.metrics.base import Better, Bounds, Mask, Measure, Spacing
from rogseg.registry import METRICS

__all__ = ["Dice", "dice_per_class", "mean_foreground_dice"]


def dice_per_class(prediction: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Dice of each case and foreground class, between two label maps.

    A class absent from both is NaN and is left out of means; a class absent from the targets only scores 0.

    Args:
        prediction: (B, D, H, W) class indices.
        targets: (B, D, H, W) class indices.
        num_classes: K, the background included.

    Returns:
        (B, K - 1) float64.

    Raises:
        ValueError: the shapes differ.
    """
    if prediction.shape != targets.shape:
        raise ValueError(f"prediction has shape {tuple(prediction.shape)}, targets {tuple(targets.shape)}")
    columns = []
    for index in range(1, num_classes):
        predicted, true = (prediction == index).flatten(1), (targets == index).flatten(1)
        overlap = (predicted & true).sum(1).double()
        size = (predicted.sum(1) + true.sum(1)).double()
        columns.append(2 * overlap / size.where(size > 0, torch.nan))
    return torch.stack(columns, dim=1)


def mean_foreground_dice(per_class: Tensor) -> Tensor:
    """Mean over the classes that a case has: (B, K - 1) -> (B,); NaN where it has none."""
    return per_class.nanmean(dim=1)


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class Dice(Measure):
    """Dice of one class; nothing where both lack it, 0 where one lacks it."""

    better: ClassVar[Better] = "higher"
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    @property
    def name(self) -> str:
        """What records and tables call it."""
        return "Dice"

    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        size = int(np.count_nonzero(prediction)) + int(np.count_nonzero(target))
        return 2 * int(np.count_nonzero(prediction & target)) / size if size else None
