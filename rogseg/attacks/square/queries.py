"""One query per standing case: the whole batch at once, or case by case where a model re-evaluates a region.

The Square attack changes one cuboid per query. A sliding window needs to run again only where the cuboid lies; whoever
owns the windows implements `RegionModel`, and the attack makes the same decisions through it as without.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from rogseg.attacks.counted_model import PassesSpentError
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.cases import Region

__all__ = ["OpenCase", "Queries", "RegionModel", "Scores", "open_queries"]


class OpenCase(Protocol):
    """One volume that a model keeps open: propose a change, then accept or reject it."""

    @property
    def logits(self) -> Tensor:
        """(1, K, D, H, W) of the volume as it stands; a later change may write into this tensor."""

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        """Logits (1, K, D, H, W) with ``values`` (1, C, d, h, w) in the cuboid ``region`` (slices of voxels)."""

    def accept(self) -> None:
        """Keep the proposed change."""

    def reject(self) -> None:
        """Go back to the volume before the proposal."""


@runtime_checkable
class RegionModel(Protocol):
    """A LogitFn that can also keep single volumes open."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits."""

    def open_case(self, inputs: Tensor) -> OpenCase:
        """Evaluate (1, C, D, H, W) in full and keep it open; never builds a graph."""


Scores = tuple[Tensor, Tensor]  # objective (n,) and criterion (n,) of the cases asked for


class Queries(ABC):
    """Scores of a batch that changes cuboid by cuboid; holds the volumes as they stand.

    Args:
        problem: its model counts one forward pass per query, whether of the batch or of the cases' regions.
        start: (B, C, D, H, W), copied.
        objective: grows as the attack gets on.
    """

    def __init__(self, problem: Problem, start: Tensor, objective: Objective) -> None:
        self.model, self.targets, self.criterion = problem.model, problem.targets, problem.criterion
        self.volume = start.clone()
        self.objective = objective

    @abstractmethod
    def first(self) -> Scores:
        """Scores of every case at the start."""

    @abstractmethod
    def propose(self, cases: list[int], regions: list[Region], values: list[Tensor]) -> Scores:
        """Scores of these cases with (C, d, h, w) values in their cuboids; then `settle`."""

    @abstractmethod
    def settle(self, accepted: list[bool]) -> None:
        """Keep or undo the last proposal, case by case."""

    def score(self, logits: Tensor, targets: Tensor) -> Scores:
        """Objective and criterion, (n,) each."""
        return self.objective.ruler(logits, targets), self.criterion(logits, targets)


class _BatchQueries(Queries):
    """Every query is a forward pass over the standing cases."""

    def first(self) -> Scores:
        return self.score(self.model(self.volume), self.targets)

    def propose(self, cases: list[int], regions: list[Region], values: list[Tensor]) -> Scores:
        self.undo: list[tuple[Tensor, Tensor]] = []
        for case, region, value in zip(cases, regions, values, strict=True):
            place = self.volume[(case, slice(None), *region)]
            self.undo.append((place, place.clone()))
            place.copy_(value)
        if len(cases) == len(self.volume):
            return self.score(self.model(self.volume), self.targets)
        return self.score(self.model(self.volume[cases]), self.targets[cases])

    def settle(self, accepted: list[bool]) -> None:
        for keep, (place, old) in zip(accepted, self.undo, strict=True):
            if not keep:
                place.copy_(old)


class _RegionQueries(Queries):
    """Every query evaluates only what the cuboids touch."""

    def __init__(self, problem: Problem, start: Tensor, objective: Objective, region_model: RegionModel) -> None:
        super().__init__(problem, start, objective)
        if problem.model.must_stop():
            raise PassesSpentError
        self.open = [region_model.open_case(volume[None]) for volume in self.volume]

    def first(self) -> Scores:
        self.model.count_forward(*(case.logits for case in self.open))
        return self._stack([self.score(self.open[i].logits, self.targets[i : i + 1]) for i in range(len(self.open))])

    def propose(self, cases: list[int], regions: list[Region], values: list[Tensor]) -> Scores:
        self.proposed = list(zip(cases, regions, values, strict=True))
        logits = [self.open[case].propose(value[None], region) for case, region, value in self.proposed]
        self.model.count_forward(*logits)
        return self._stack(
            [self.score(part, self.targets[case : case + 1]) for part, case in zip(logits, cases, strict=True)]
        )

    def settle(self, accepted: list[bool]) -> None:
        for keep, (case, region, value) in zip(accepted, self.proposed, strict=True):
            if keep:
                self.open[case].accept()
                self.volume[(case, slice(None), *region)] = value
            else:
                self.open[case].reject()

    @staticmethod
    def _stack(scores: list[Scores]) -> Scores:
        values, fallen = zip(*scores, strict=True)
        return torch.cat(values), torch.cat(fallen)


def open_queries(problem: Problem, start: Tensor, objective: Objective) -> Queries:
    """Queries over regions where the attacked model can do that, over the batch otherwise."""
    model = problem.model.model
    if isinstance(model, RegionModel):
        return _RegionQueries(problem, start, objective, model)
    return _BatchQueries(problem, start, objective)
