"""Auto-PGD: projected gradient ascent that finds its own step size."""

from typing import Any

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import BestIterate, Select, check_select, replace_cases, score_only, scored_gradient
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.restarts import run_restarts
from rogseg.attacks.result import Perturbation
from rogseg.attacks.threats import ThreatModel
from rogseg.registry import ATTACKS

__all__ = ["APGD", "StepSize"]

MOMENTUM = 0.75


@ATTACKS.register_module()
class APGD(Attack):
    """Steps with momentum whose length halves when progress stalls, going on from the best iterate, case by case.

    One restart takes ``num_iterations`` forward and backward passes and one more forward pass for its last iterate.

    Args:
        objective: what to ascend.
        num_iterations: steps of each restart.
        num_restarts: runs from different starts; each case keeps one whole iterate of one run.
        rho: the step is halved at a checkpoint when fewer than this share of the steps since the last one went up.
        select: keep the iterate with the highest objective ("objective"), with the lowest Dice ("dice") or with the
            fewest voxels right ("accuracy"); the search itself always goes on from the highest objective.
        first_check_against_zero: compare the first loss with 0 instead of the start's loss at the first checkpoint, as
            the reference implementation does by an array index of -1; False is the algorithm as published.
        first_step: length of the first step in units of epsilon; a shorter one stays near a start that is good already.
        stop_at_success: do not restart in cases that have fallen.

    Source: Croce and Hein 2020, algorithm 1, with the reference implementation's momentum after a return to the best
    iterate.
    Deviations: the L2 step projects exactly onto ball and box, where the reference clips the ball's projection; a
    random start is uniform in the ball, where the reference stretches it to the sphere; the last gradient, never used,
    is not computed.
    """

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        num_iterations: int = 100,
        num_restarts: int = 1,
        rho: float = 0.75,
        select: Select = "objective",
        first_check_against_zero: bool = False,
        first_step: float = 2.0,
        stop_at_success: bool = False,
    ) -> None:
        super().__init__(objective)
        check_select(select)
        if num_iterations < 1 or num_restarts < 1:
            raise ValueError(f"num_iterations {num_iterations} and num_restarts {num_restarts} must be at least 1")
        if not 0 < rho <= 1:
            raise ValueError(f"rho is {rho}, expected a share of the steps in (0, 1]")
        if first_step <= 0:
            raise ValueError(f"first_step is {first_step}, expected a positive number of epsilons")
        self.num_iterations = num_iterations
        self.num_restarts = num_restarts
        self.rho = rho
        self.select: Select = select
        self.first_check_against_zero = first_check_against_zero
        self.first_step = first_step
        self.stop_at_success = stop_at_success

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Every restart in turn; the best iterate of each case."""
        found = run_restarts(
            problem, generator, self._run, self.select, self.num_restarts, stop_at_success=self.stop_at_success
        )
        return Perturbation(found)

    def _run(self, problem: Problem, start: Tensor, best: BestIterate) -> None:
        """One run; iterates are never modified in place, so keeping one costs no copy."""
        # Otherwise the leader is what to keep, and a second copy of it would only cost memory.
        every = self.select != "objective"
        volume = previous = leader = start
        scores, gradient, logits = scored_gradient(problem, self.objective, 0.0, volume)
        if every:
            best.update(volume, scores, logits)
        leader_scores, leader_gradient = scores, gradient
        reference = torch.zeros_like(scores) if self.first_check_against_zero else scores
        schedule = StepSize(self.num_iterations, self.rho, reference, leader_scores, self.first_step)
        for iteration in range(self.num_iterations):
            del logits  # not to be held through the next forward pass
            momentum = MOMENTUM if iteration > 0 else 1.0
            moved = step(problem.inputs, volume, previous, gradient, schedule.size, momentum, problem.threat)
            del gradient
            previous, volume = volume, moved
            del moved
            if iteration == self.num_iterations - 1:
                break
            progress = (iteration + 1) / self.num_iterations
            scores, gradient, logits = scored_gradient(problem, self.objective, progress, volume)
            if every:
                best.update(volume, scores, logits)
            better = scores > leader_scores
            leader = replace_cases(better, volume, leader)
            leader_gradient = replace_cases(better, gradient, leader_gradient)
            leader_scores = torch.where(better, scores, leader_scores)
            halved = schedule.update(scores, leader_scores)
            volume = replace_cases(halved, leader, volume)
            gradient = replace_cases(halved, leader_gradient, gradient)
        del leader_gradient
        if not every:
            best.keep(leader, leader_scores)
        best.update(volume, *score_only(problem, self.objective, volume))


class StepSize:
    """The step of each case in units of epsilon, halved at checkpoints that come ever closer.

    Args:
        num_iterations: of the whole run; the checkpoints are set as shares of it.
        rho: share of upward steps below which the step is halved.
        first_loss: (B,), what the first step's loss is compared with.
        best_loss: (B,), the best loss at the start.
        first_step: the step before anything is halved.

    Source: Croce and Hein 2020, section 3.1 and conditions 1 and 2; checkpoints rounded down as in the reference
    implementation.
    """

    def __init__(
        self, num_iterations: int, rho: float, first_loss: Tensor, best_loss: Tensor, first_step: float = 2.0
    ) -> None:
        self.size = torch.full_like(best_loss, first_step)
        self._rho = rho
        self._interval = max(int(0.22 * num_iterations), 1)
        self._shortest = max(int(0.06 * num_iterations), 1)
        self._decrease = max(int(0.03 * num_iterations), 1)
        self._steps = 0
        self._rises = torch.zeros_like(best_loss)
        self._last_loss = first_loss
        self._best_at_check = best_loss
        # True, so that condition 2 (no better loss since an unchanged step) cannot hold at the first checkpoint.
        self._halved_at_check = torch.ones_like(best_loss, dtype=torch.bool)

    def update(self, loss: Tensor, best_loss: Tensor) -> Tensor:
        """Record the loss of an iterate, (B,); returns the cases whose step was halved now, (B,) bool."""
        self._rises += loss > self._last_loss
        self._last_loss = loss
        self._steps += 1
        if self._steps < self._interval:
            return torch.zeros_like(self._halved_at_check)
        oscillates = self._rises <= self._rho * self._steps
        stalls = ~self._halved_at_check & (self._best_at_check >= best_loss)
        halved = oscillates | stalls
        self.size = torch.where(halved, self.size / 2, self.size)
        self._halved_at_check, self._best_at_check = halved, best_loss
        self._steps, self._rises = 0, torch.zeros_like(best_loss)
        self._interval = max(self._interval - self._decrease, self._shortest)
        return halved


@torch.no_grad()
def step(
    inputs: Tensor,
    volume: Tensor,
    previous: Tensor,
    gradient: Tensor,
    size: Tensor,
    momentum: float,
    threat: ThreatModel,
) -> Tensor:
    """Project a gradient step, mix it with the last move, project again (lines 7 and 8 of algorithm 1).

    Args:
        inputs: clean volume, (B, C, D, H, W); ``volume``, ``previous`` and ``gradient`` have the same shape.
        volume: the iterate.
        previous: the iterate before it.
        gradient: of the objective at ``volume``.
        size: (B,) in units of epsilon.
        momentum: weight of the gradient step; the rest goes to the last move.
        threat: ball and box.

    Returns:
        (B, C, D, H, W), a new tensor.
    """
    ascent = threat.steepest_ascent(gradient).mul_(size.to(gradient.dtype).view(-1, 1, 1, 1, 1)).add_(volume)
    moved = threat.project(inputs, ascent).sub_(volume).mul_(momentum).add_(volume)
    torch.sub(volume, previous, out=ascent)
    moved.add_(ascent.mul_(1 - momentum))
    del ascent
    return threat.project(inputs, moved)
