"""Projected gradient descent (ascent of the objective)."""

from typing import Any

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import BestIterate, Select, check_select, score_only, scored_gradient
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.restarts import run_restarts
from rogseg.attacks.result import Perturbation
from rogseg.registry import ATTACKS

__all__ = ["PGD"]


@ATTACKS.register_module()
class PGD(Attack):
    """Steps of steepest ascent of one length, each projected onto ball and box.

    One restart takes ``num_iterations`` forward and backward passes and one more forward pass for its last iterate.

    Args:
        objective: what to ascend.
        num_iterations: steps of each restart.
        step_size: length of a step in units of epsilon; None is 2.5 / num_iterations, which can cross the ball.
        num_restarts: runs from different starts; each case keeps one whole iterate of one run.
        random_start: start at random points of the ball; without it only the first run starts at the inputs.
        select: keep the iterate with the highest objective ("objective"), with the lowest Dice ("dice") or with the
            fewest voxels right ("accuracy").
        stop_at_success: do not restart in cases that have fallen.

    Source: Madry et al. 2018. Deviation: the best iterate is kept, not the last.
    """

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        num_iterations: int = 20,
        step_size: float | None = None,
        num_restarts: int = 1,
        random_start: bool = True,
        select: Select = "objective",
        stop_at_success: bool = False,
    ) -> None:
        super().__init__(objective)
        check_select(select)
        if num_iterations < 1 or num_restarts < 1:
            raise ValueError(f"num_iterations {num_iterations} and num_restarts {num_restarts} must be at least 1")
        if step_size is not None and step_size <= 0:
            raise ValueError(f"step_size is {step_size}, expected a positive number of epsilons or None")
        self.num_iterations = num_iterations
        self.step_size = 2.5 / num_iterations if step_size is None else step_size
        self.num_restarts = num_restarts
        self.random_start = random_start
        self.select: Select = select
        self.stop_at_success = stop_at_success

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Every restart in turn; the best iterate of each case."""
        found = run_restarts(
            problem,
            generator,
            self._run,
            self.select,
            self.num_restarts,
            random_start=self.random_start,
            stop_at_success=self.stop_at_success,
        )
        return Perturbation(found)

    def _run(self, problem: Problem, volume: Tensor, best: BestIterate) -> None:
        inputs, threat = problem.inputs, problem.threat
        for iteration in range(self.num_iterations):
            progress = iteration / self.num_iterations
            scores, gradient, logits = scored_gradient(problem, self.objective, progress, volume)
            best.update(volume, scores, logits)
            del logits  # not to be held through the next forward pass
            step = threat.steepest_ascent(gradient).mul_(self.step_size)
            del gradient
            volume = threat.project(inputs, step.add_(volume))
            del step
        best.update(volume, *score_only(problem, self.objective, volume))
