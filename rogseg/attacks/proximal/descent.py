"""What the proximal attacks share: where they stand, their metric, and the shortest adversary on the way."""

import torch
from torch import Tensor

from rogseg.attacks.fab.boundary_search import Nearest, bisect
from rogseg.attacks.problem import Problem
from rogseg.attacks.proximal.linf_prox import prox_of_largest_move
from rogseg.attacks.threats import LinfThreat, per_case

__all__ = ["ProximalDescent"]

DECAY = 0.99  # of the mean of squared gradients
FLOOR = 1e-3  # of the largest element of the metric, so that no step is unbounded
NUM_BISECTIONS = 4


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
