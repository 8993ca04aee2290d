"""What the proximal attacks share: their steps, the operator of the largest move, and the shortest adversary."""

from abc import abstractmethod
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.fab.boundary_search import Nearest, bisect
from rogseg.attacks.objectives import Margin
from rogseg.attacks.problem import Problem
from rogseg.attacks.proximal.voxel_constraints import VoxelConstraints
from rogseg.attacks.result import Perturbation
from rogseg.attacks.threats import LinfThreat, per_case

__all__ = ["ProximalAttack", "ProximalDescent", "prox_of_largest_move"]

DECAY = 0.99  # of the mean of squared gradients
FLOOR = 1e-3  # of the largest element of the metric, so that no step is unbounded
NUM_BISECTIONS = 4  # of the shortest adversary
PROX_BISECTIONS = 20  # of the slope of the proximal operator


class ProximalAttack(Attack):
    """A minimal-norm attack by proximal steps that has to win voxels; subclasses write `descend`.

    Args:
        num_iterations: a forward and a backward pass each.
        step_size: of the first steps, in units of the box's width.
        left: the share of each class's voxels that may stand; None takes what the criterion allows, or a hundredth.
        smoothing: share of the old in a running mean.
    """

    def __init__(self, num_iterations: int, step_size: float, left: float | None, smoothing: float) -> None:
        super().__init__(Margin())
        if num_iterations < 1 or step_size <= 0:
            raise ValueError("num_iterations must be at least 1, step_size above 0")
        if left is not None and not 0 <= left < 1:
            raise ValueError(f"left is {left}, a share of the voxels lies in [0, 1)")
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing is {smoothing}, it must lie in [0, 1)")
        self.num_iterations, self.step_size, self.left, self.smoothing = num_iterations, step_size, left, smoothing

    @final
    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """One run, without randomness; cases that have fallen on their clean volume stay as they are."""
        with torch.no_grad():
            logits = problem.model(problem.inputs)
        fallen = problem.criterion(logits, problem.targets)
        descent = ProximalDescent(problem, fallen)
        if fallen.all():
            return Perturbation(problem.inputs, found_distance=descent.nearest.distance)
        constraints = VoxelConstraints(logits, problem.targets, problem.criterion, self.left)
        self.descend(descent, constraints, constraints.values(logits))
        found = descent.found()
        return Perturbation(found, found_distance=descent.nearest.distance)

    @abstractmethod
    def descend(self, descent: "ProximalDescent", constraints: VoxelConstraints, values: Tensor) -> None:
        """Take the steps.

        Args:
            descent: where the search stands, and what takes them.
            constraints: the voxels that must be won.
            values: how far each is from that on the clean volume, (B, D, H, W).
        """


class ProximalDescent:
    """Forward-backward steps in a variable metric, in units of the box's width.

    A step goes down a gradient, scaled voxel by voxel by its root mean square, and then takes the proximal operator of
    the largest move in the same metric.

    Args:
        problem: what is attacked; the steps are for Linf.
        fallen: the cases that have fallen on their clean volume, (B,) bool.

    Raises:
        ValueError: the threat model has another norm.
    """

    def __init__(self, problem: Problem, fallen: Tensor) -> None:
        inputs, threat = problem.inputs, problem.threat
        if not isinstance(threat, LinfThreat):
            raise ValueError(f"the proximal steps are made for LinfThreat, not for {type(threat).__name__}")
        self.problem = problem
        self.width = threat.box.width.to(inputs)
        self.lower = ((threat.box.lower.to(inputs) - inputs) / self.width).clamp_(max=0)
        self.upper = ((threat.box.upper.to(inputs) - inputs) / self.width).clamp_(min=0)
        self.move = torch.zeros_like(inputs) if problem.start is None else (problem.start - inputs) / self.width
        self.square = torch.zeros_like(inputs)
        self.num_steps = 0
        unmoved = torch.zeros(len(inputs), dtype=torch.float64, device=inputs.device).where(fallen, torch.inf)
        self.nearest = Nearest(inputs, unmoved)

    @property
    def volume(self) -> Tensor:
        """Where the search stands, (B, C, D, H, W) [network units]."""
        return self.problem.threat.clip_to_box(self.problem.inputs + self.move * self.width)

    def look(self, objective: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Where the search stands: gradient [per network unit] of an objective, logits, and which cases fall."""
        volume = self.volume
        _, gradient, logits = value_and_gradient(self.problem.model, objective, volume, self.problem.targets)
        fallen = self.problem.criterion(logits, self.problem.targets)
        self.offer(volume, fallen)
        return gradient, logits, fallen

    def offer(self, volume: Tensor, fallen: Tensor) -> None:
        """Remember a volume in the cases that fell by it, where it is the shortest."""
        distance = self.problem.threat.distance(self.problem.inputs, volume).where(fallen, torch.inf)
        self.nearest = self.nearest.merge(volume, distance)

    def step(self, gradient: Tensor, length: float, weight: Tensor) -> None:
        """Go down a gradient [per network unit] by steps of a length, with this weight (B,) of the largest move."""
        gradient = gradient * self.width
        if self.problem.threat.support is not None:
            gradient = gradient * self.problem.threat.support
        self.num_steps += 1
        self.square = torch.lerp(gradient.square(), self.square, DECAY)
        metric = (self.square / (1 - DECAY**self.num_steps)).sqrt()
        highest = per_case(metric.flatten(1).amax(1))
        metric = metric + FLOOR * highest + torch.finfo(metric.dtype).tiny
        point = self.move - length * gradient / metric
        self.move = prox_of_largest_move(point, metric / length, weight, self.lower, self.upper)

    def found(self) -> Tensor:
        """The shortest adversary after a last look, (B, C, D, H, W); put into the ball where it is longer."""
        volume = self.volume
        self.offer(volume, self.problem.fallen(volume))
        self.nearest = bisect(self.problem, self.nearest, NUM_BISECTIONS)
        missed = per_case(self.nearest.distance.isinf())
        return self.problem.threat.project(self.problem.inputs, torch.where(missed, volume, self.nearest.adversarial))


def prox_of_largest_move(point: Tensor, metric: Tensor, weight: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """The p in [lower, upper] with the smallest weight * max|p| + sum(metric * (p - point)^2) / 2, case by case.

    Whatever the largest move m of p is, each element is the point's, cut to m and to the box. What is left is a convex
    function of m alone, whose slope is weight minus the sum of metric * (|point| - m) over the elements that m cuts.

    Args:
        point: (B, C, D, H, W).
        metric: the same shape, at least 0.
        weight: (B,), above 0.
        lower: the same shape as ``point``, at most 0.
        upper: the same shape, at least 0.

    Returns:
        (B, C, D, H, W), the type of ``point``.

    Source: the operator that the attacks of Matyasko and Chau 2021 and Rony, Pesquet and Ben Ayed 2023 need. Both solve
    it by iteration; here the slope is bisected, and its last, linear piece is solved.
    """
    length = point.abs()
    reach = torch.minimum(length, torch.where(point > 0, upper, -lower))
    weight = weight.double()

    def cut_by(move: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of metric * |point| and of metric, over the elements that a largest move (B,) cuts."""
        cut = metric * (reach > per_case(move).to(reach))
        return (cut * length).flatten(1).sum(1, dtype=torch.float64), cut.flatten(1).sum(1, dtype=torch.float64)

    low = torch.zeros_like(weight)
    high = reach.flatten(1).amax(1).double()
    for _ in range(PROX_BISECTIONS):
        middle = (low + high) / 2
        pull, mass = cut_by(middle)
        falls = pull - middle * mass > weight  # the function still falls here, so the largest move is longer
        low, high = torch.where(falls, middle, low), torch.where(falls, high, middle)
    pull, mass = cut_by(low)
    exact = torch.where(mass > 0, (pull - weight) / mass.clamp(min=1e-300), low)
    move = exact.clamp(min=0).maximum(low).minimum(high)
    return torch.minimum(reach, per_case(move).to(reach)).copysign(point)
