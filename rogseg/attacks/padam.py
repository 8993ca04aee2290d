"""Projected Adam: steps whose length each voxel finds for itself."""

from typing import Any

import torch

from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import BestIterate, Select, check_select, score_only, scored_gradient
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.attacks.threats import LinfThreat, per_case
from rogseg.registry import ATTACKS

__all__ = ["PAdam"]

FIRST_DECAY, SECOND_DECAY = 0.9, 0.999
# Of the largest second moment, so that nothing is divided by 0. A gradient smaller than that hardly moves its voxel,
# and that of a confident voxel is e to the minus its gap: a floor of 1e-6 would hold still what has a gap of 14.
FLOOR = 1e-12


@ATTACKS.register_module()
class PAdam(Attack):
    """Adam on the volume (AMSGrad, whose second moment never falls), each step projected onto ball and box.

    Args:
        objective: what to ascend.
        num_iterations: steps, a forward and a backward pass each; one more forward pass is for the last iterate.
        step_size: length of a step in units of epsilon.
        select: keep the iterate with the highest objective, the lowest Dice or the lowest accuracy.

    Raises:
        ValueError: when called with another norm than Linf.

    Source: Halmosi, Mohos and Jelasity 2024 (Robust-Segmentation-Evaluation): 200 steps of 2/255 at epsilon 8/255, with
    cross-entropy (PAdam-CE) and with the cosine of the logits (PAdam-Cos). Deviations: the step is a share of epsilon;
    the constant that keeps the division finite is relative to the case's largest gradient; moments are kept in units of
    the largest gradient that the case has had, so that squares neither vanish nor overflow.
    """

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        num_iterations: int = 200,
        step_size: float = 0.25,
        select: Select = "objective",
    ) -> None:
        super().__init__(objective)
        check_select(select)
        if num_iterations < 1 or step_size <= 0:
            raise ValueError(f"num_iterations {num_iterations} must be at least 1 and step_size {step_size} above 0")
        self.num_iterations = num_iterations
        self.step_size = step_size
        self.select: Select = select

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """One run from a random start."""
        inputs, threat = problem.inputs, problem.threat
        if not isinstance(threat, LinfThreat):
            raise ValueError(f"PAdam's steps are made for LinfThreat, not for {type(threat).__name__}")
        volume = threat.random_start(inputs, generator) if problem.start is None else problem.start
        best = BestIterate(self.select, problem.targets, problem.criterion)
        length = self.step_size * threat.epsilon.to(inputs)
        mean, square, highest = (torch.zeros_like(inputs) for _ in range(3))
        scale = torch.zeros_like(inputs[:, :1, :1, :1, :1])
        for iteration in range(self.num_iterations):
            progress = iteration / self.num_iterations
            scores, gradient, logits = scored_gradient(problem, self.objective, progress, volume)
            best.update(volume, scores, logits)
            if threat.support is not None:
                gradient = gradient * threat.support
            # Adam forgets the scale of a gradient, so the moments may follow that of the largest one so far; a case
            # whose gradients have all been 0 has none yet and stays.
            largest = torch.maximum(scale, per_case(gradient.flatten(1).abs().amax(1)))
            unit = largest.clamp(min=torch.finfo(gradient.dtype).tiny)
            shrink, scale = scale / unit, largest
            gradient = gradient / unit
            for moment, factor in ((mean, shrink), (square, shrink.square()), (highest, shrink.square())):
                moment.mul_(factor)
            mean = torch.lerp(gradient, mean, FIRST_DECAY)
            square = torch.lerp(gradient.square(), square, SECOND_DECAY)
            highest = torch.maximum(highest, square)
            root = (highest / (1 - SECOND_DECAY ** (iteration + 1))).sqrt()
            floor = FLOOR * per_case(root.flatten(1).amax(1)) + torch.finfo(root.dtype).tiny
            step = mean / (1 - FIRST_DECAY ** (iteration + 1)) / (root + floor)
            volume = threat.project(inputs, volume + length * step)
        best.update(volume, *score_only(problem, self.objective, volume))
        return Perturbation(best.best())
