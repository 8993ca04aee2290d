"""The foreground classes: which one is meant, and the Dice of those that a case has."""

from collections.abc import Sequence

import torch
from torch import Tensor

from rogseg.metrics import dice_per_class

__all__ = ["case_dice", "class_index", "labels_dice"]


def case_dice(logits: Tensor, targets: Tensor, classes: Sequence[Sequence[int]] | None = None) -> Tensor:
    """Dice of each case and foreground class: (B, K, D, H, W), (B, D, H, W) -> (B, K - 1) float64.

    NaN for a class that the targets lack, whatever was predicted: one voxel of such a class would halve the mean of
    two, and objectives such as soft Dice do not look for it. `ClassAppears` is the criterion for that.

    Args:
        logits: raw.
        targets: class indices.
        classes: the class indices that make up each foreground class; None is each by itself. As many columns come out.
    """
    if classes is None:
        classes = [(index,) for index in range(1, logits.shape[1])]
    return labels_dice(logits.argmax(dim=1), targets, classes)


def labels_dice(prediction: Tensor, targets: Tensor, classes: Sequence[Sequence[int]]) -> Tensor:
    """What `case_dice` gives, from the class indices (B, D, H, W) that were decided."""
    pairs = [(_within(prediction, indices), _within(targets, indices)) for indices in classes]
    dice = torch.cat([dice_per_class(found, true, 2) for found, true in pairs], dim=1)
    present = torch.stack([true.flatten(1).any(dim=1) for _, true in pairs], dim=1)
    return dice.masked_fill(~present, float("nan"))


def _within(labels: Tensor, indices: Sequence[int]) -> Tensor:
    """Where a label is one of some class indices; nothing goes from the host to a GPU for it, in every pass."""
    return torch.stack([labels == index for index in indices]).any(dim=0)


def class_index(target_class: int, num_classes: int) -> int:
    """The class as an index from 1 on.

    Raises:
        ValueError: the model has no such foreground class.
    """
    index = num_classes - 1 if target_class == -1 else target_class
    if not 1 <= index < num_classes:
        raise ValueError(
            f"target_class is {target_class}; the model's foreground classes are 1 to {num_classes - 1}, -1 is the last"
        )
    return index
