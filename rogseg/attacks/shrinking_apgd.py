"""An attack in stages, from a larger ball down to the one of the threat model."""

from dataclasses import replace
from typing import Any

import torch

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import Select
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.registry import ATTACKS

__all__ = ["ShrinkingAPGD"]

# Radius of each stage in units of epsilon, and its share of the iterations.
STAGES = ((2.0, 0.3), (1.5, 0.3), (1.0, 0.4))


@ATTACKS.register_module()
class ShrinkingAPGD(Attack):
    """APGD at twice epsilon, then at one and a half, then at epsilon, each stage from the projected end of the last.

    Args:
        objective: what to ascend.
        num_iterations: of all stages together, at least 3.
        select: which iterate the last stage hands back.
        hand_over: which iterate, projected onto the smaller ball, the next stage starts from.

    Source: Croce, Singh and Hein 2024 (SEA), progressive reduction of the radius, where the iterate of lowest accuracy
    is handed over.
    """

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        num_iterations: int = 100,
        select: Select = "objective",
        hand_over: Select = "objective",
    ) -> None:
        super().__init__(objective)
        if num_iterations < len(STAGES):
            raise ValueError(f"num_iterations is {num_iterations}, too few for {len(STAGES)} stages")
        budget = [max(1, int(share * num_iterations)) for _, share in STAGES[:-1]]
        budget.append(num_iterations - sum(budget))
        last = len(STAGES) - 1
        self.stages = [
            (factor, APGD(self.objective, num_iterations=budget[i], select=select if i == last else hand_over))
            for i, (factor, _) in enumerate(STAGES)
        ]

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Stage after stage."""
        volume = problem.start
        for factor, attack in self.stages:
            ball = problem.threat.scaled(factor)
            inside = None if volume is None else ball.project(problem.inputs, volume)
            found = attack.perturb(replace(problem, threat=ball, start=inside), generator)
            volume = found.adversarial
        return found
