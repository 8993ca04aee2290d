"""The worst of several results, case by case."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from rogseg.attacks.base import AttackResult

__all__ = ["worst_dice_per_class", "worst_member"]


def worst_member(results: Sequence[AttackResult]) -> Tensor:
    """Which result is the worst for each case, (B,) int64.

    A success beats a failure, then the lower mean Dice wins, then the earlier result. A case that has no Dice (no
    foreground), or that a member was not run on, never beats another.
    """
    dice = torch.stack([result.mean_dice.nan_to_num(nan=torch.inf) for result in results])
    success = torch.stack([result.success for result in results])
    # Dice is at most 1, so a success with any Dice stands before every failure.
    return (dice - 2.0 * success.double()).argmin(dim=0)


def worst_dice_per_class(results: Mapping[str, AttackResult]) -> Tensor:
    """Lowest Dice of each case and class over the attacks, (B, K - 1) float64; NaN where no attack has one."""
    worst = None
    for result in results.values():
        worst = result.dice if worst is None else torch.fmin(worst, result.dice)
    if worst is None:
        raise ValueError("there is no result to take the worst of")
    return worst
