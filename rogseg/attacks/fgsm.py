"""The fast gradient sign method."""

from typing import Any

import torch

from rogseg.attacks.base import Attack
from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.registry import ATTACKS

__all__ = ["FGSM"]


@ATTACKS.register_module()
class FGSM(Attack):
    """One step of steepest ascent.

    Args:
        objective: what to ascend.
        random_start: start at a random point of the ball instead of the inputs.
        step_size: length of the step in units of epsilon.

    Source: Goodfellow et al. 2015; with a random start and step_size 1.25, Wong et al. 2020.
    """

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        random_start: bool = False,
        step_size: float = 1.0,
    ) -> None:
        super().__init__(objective)
        if step_size <= 0:
            raise ValueError(f"step_size is {step_size}, expected a positive number of epsilons")
        self.random_start = random_start
        self.step_size = step_size

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """One gradient, one step."""
        start, threat = problem.start, problem.threat
        if start is None:
            start = threat.random_start(problem.inputs, generator) if self.random_start else problem.inputs
        _, gradient, _ = value_and_gradient(problem.model, self.objective.at(0.0), start, problem.targets)
        return Perturbation(threat.steepest_ascent(gradient).mul_(self.step_size).add_(start))
