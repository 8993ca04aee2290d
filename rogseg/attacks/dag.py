"""Dense adversary generation: push every voxel that is still right towards a class of its own."""

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import BestIterate, Select, check_select
from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import Margin
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.attacks.threats import per_case
from rogseg.registry import ATTACKS

__all__ = ["DAG"]


@ATTACKS.register_module()
class DAG(Attack):
    """Steps along the gradient of (logit of the rival - logit of the truth), summed over the voxels that are right.

    The rival of a voxel is its second class on the clean volume. The gradient is divided by its largest element, not
    replaced by its sign, so a step moves few voxels far: another way through the ball than that of APGD. A case in
    which no voxel is right any more stays where it is. Does not depend on the scale of the logits.

    Args:
        gamma: how far a step moves the voxel with the largest gradient, as a share of the box's width.
        num_iterations: steps, a forward and a backward pass each.
        select: keep the iterate with the highest objective, the lowest Dice or the lowest accuracy.

    Source: Xie et al. 2017; gamma 0.001 and 0.003 and 200 steps as in Halmosi, Mohos and Jelasity 2024.
    Deviations: each step is projected onto ball and box, where the original has no ball; rivals are second classes,
    where the original draws them.
    """

    def __init__(self, gamma: float = 0.003, num_iterations: int = 200, select: Select = "dice") -> None:
        super().__init__(Margin())
        check_select(select)
        if gamma <= 0 or num_iterations < 1:
            raise ValueError(f"gamma {gamma} must be above 0 and num_iterations {num_iterations} at least 1")
        self.gamma = gamma
        self.num_iterations = num_iterations
        self.select: Select = select

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """One run from the clean volume, without randomness."""
        inputs, targets, threat = problem.inputs, problem.targets, problem.threat
        with torch.no_grad():
            rivals = _second_class(problem.model(inputs), targets)
        best = BestIterate(self.select, targets, problem.criterion)
        volume = inputs if problem.start is None else problem.start
        width = threat.box.width.to(inputs)
        for _ in range(self.num_iterations):
            _, gradient, logits = value_and_gradient(problem.model, _Towards(rivals), volume, targets)
            best.update(volume, self.objective(logits, targets), logits)
            # In units of the box's width, so that channels of different widths count alike.
            gradient = gradient * width
            if problem.threat.support is not None:
                gradient = gradient * problem.threat.support
            largest = per_case(gradient.flatten(1).abs().amax(1))
            step = torch.where(largest > 0, gradient / largest, 0.0)
            volume = threat.project(inputs, volume + self.gamma * width * step)
        with torch.no_grad():
            logits = problem.model(volume)
        best.update(volume, self.objective(logits, targets), logits)
        return Perturbation(best.best())


def _second_class(logits: Tensor, targets: Tensor) -> Tensor:
    """The highest class that is not the true one, (B, D, H, W)."""
    return logits.scatter(1, targets[:, None], -torch.inf).argmax(dim=1)


class _Towards:
    """Sum of (rival - truth) over the voxels that are right, (B,)."""

    def __init__(self, rivals: Tensor) -> None:
        self.rivals = rivals

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        right = logits.detach().argmax(dim=1) == targets
        difference = logits.gather(1, self.rivals[:, None]) - logits.gather(1, targets[:, None])
        return (difference[:, 0] * right).flatten(1).sum(1)
