"""Which of its iterates an attack hands back."""

from typing import Literal, get_args

import torch
from torch import Tensor

from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.objectives.base import Objective
from rogseg.attacks.problem import Problem
from rogseg.metrics import mean_foreground_dice

__all__ = ["BestIterate", "Select", "check_select", "replace_cases", "score_only", "scored_gradient"]

Select = Literal["objective", "dice", "accuracy"]


def check_select(select: str) -> None:
    """Refuse anything but the ways to choose an iterate."""
    if select not in get_args(Select):
        raise ValueError(f"select is {select!r}, expected one of {', '.join(map(repr, get_args(Select)))}")


def scored_gradient(
    problem: Problem, objective: Objective, progress: float, volume: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One forward and one backward pass: score (B,) by the objective's ruler, gradient (B, C, D, H, W), logits."""
    current, ruler = objective.at(progress), objective.ruler
    values, gradient, logits = value_and_gradient(problem.model, current, volume, problem.targets)
    if ruler is not current:
        with torch.no_grad():
            values = ruler(logits, problem.targets)
    return values, gradient, logits


@torch.no_grad()
def score_only(problem: Problem, objective: Objective, volume: Tensor) -> tuple[Tensor, Tensor]:
    """One forward pass: score (B,) by the objective's ruler, and the logits."""
    logits = problem.model(volume)
    return objective.ruler(logits, problem.targets), logits


def replace_cases(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Rows of ``new`` where the mask (B,) is set, else of ``old``; copies nothing where it is all or none."""
    if mask.all():
        return new
    if not mask.any():
        return old
    return torch.where(mask.view(-1, *[1] * (new.ndim - 1)), new, old)


class BestIterate:
    """The iterate of each case that is best so far, kept whole.

    Args:
        select: "objective" keeps the highest score; "dice" the lowest mean foreground Dice (a case without foreground
            has none and keeps the highest score); "accuracy" the lowest share of voxels that are right.
        targets: (B, D, H, W).
        criterion: of the problem; a `DiceBelow` says of which classes the Dice is.
    """

    def __init__(self, select: Select, targets: Tensor, criterion: Criterion) -> None:
        self.select = select
        self.targets = targets
        self.classes = criterion.classes if isinstance(criterion, DiceBelow) else None
        self.volume: Tensor | None = None
        self.rank = torch.full((len(targets),), -torch.inf, dtype=torch.float64, device=targets.device)

    def update(self, volume: Tensor, scores: Tensor, logits: Tensor) -> None:
        """Offer an iterate; it must not be modified in place afterwards."""
        rank = scores.double()
        if self.select == "dice":
            dice = mean_foreground_dice(case_dice(logits, self.targets, self.classes))
            rank = torch.where(dice.isnan(), rank, -dice)
        elif self.select == "accuracy":
            rank = -(logits.argmax(dim=1) == self.targets).flatten(1).double().mean(dim=1)
        self.keep(volume, rank)

    def keep(self, volume: Tensor, rank: Tensor) -> None:
        """Take the volume in the cases where its rank (B,) is higher; the first of equals stays."""
        rank = rank.double()
        higher = rank > self.rank
        self.volume = volume if self.volume is None else replace_cases(higher, volume, self.volume)
        self.rank = torch.where(higher, rank, self.rank)

    def keep_rows(self, rows: Tensor, part: "BestIterate") -> None:
        """Take what was kept of some cases, given by their indices, where it is better."""
        volume, rank = self.best().clone(), self.rank.clone()
        volume[rows], rank[rows] = part.best(), part.rank
        self.keep(volume, rank)

    def best(self) -> Tensor:
        """The volumes kept, (B, C, D, H, W)."""
        if self.volume is None:
            raise RuntimeError("no iterate was offered")
        return self.volume
