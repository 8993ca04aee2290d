"""Search for the nearest volume on the other side of a decision surface, as FAB does it, whatever the surface is."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rogseg.attacks.counted_model import CountedModel
from rogseg.attacks.fab.hyperplane import project_onto_hyperplane, projection_speed
from rogseg.attacks.problem import Problem
from rogseg.attacks.threats import ThreatModel, per_case

__all__ = ["BoundarySearch", "Nearest", "bisect"]

# value (B,) and gradient (B, C, D, H, W) of what is negative on the clean side and positive on the other
Surface = Callable[[CountedModel, Tensor, Tensor], tuple[Tensor, Tensor]]

MIN_MOVE = 1e-8  # of the box's width, as in the reference: keeps the quotient of two zero moves defined


@dataclass(frozen=True)
class Nearest:
    """The shortest adversary found so far.

    Args:
        adversarial: (B, C, D, H, W); the clean volume where none was found.
        distance: (B,) float64 in units of the box's width; infinity where none was found.
    """

    adversarial: Tensor
    distance: Tensor

    def merge(self, candidate: Tensor, distance: Tensor) -> "Nearest":
        """Take the candidate in the cases where it is shorter."""
        shorter = distance < self.distance
        return Nearest(
            torch.where(per_case(shorter), candidate, self.adversarial), torch.where(shorter, distance, self.distance)
        )


@dataclass(frozen=True)
class BoundarySearch:
    """Steps to the linearised surface, biased towards the clean volume.

    Args:
        num_iterations: each costs two forward passes and a backward one.
        alpha_max: highest weight of the clean volume's own projection.
        eta: how far beyond the hyperplane a step goes.
        beta: share of the perturbation that is kept after a success.
        num_final_steps: bisections between the clean volume and the shortest adversary, a forward pass each.
        max_move: longest move from the current volume, before ``eta``, in units of the box's width; a longer one is
            shortened and not mixed with the clean volume's. None, as published, trusts the linearisation anywhere.

    Source: Croce and Hein 2020 (FAB), in the form of the reference AutoAttack (no random start, and no
        final search unless asked for; the paper's has three secant steps). Deviation: lengths are in units of the box's
        width, channel by channel, and what counts as success is the criterion's decision on the whole case.
    """

    num_iterations: int
    alpha_max: float
    eta: float
    beta: float
    num_final_steps: int
    max_move: float | None = None

    def __post_init__(self) -> None:
        if self.num_iterations < 1 or self.num_final_steps < 0:
            raise ValueError("num_iterations must be at least 1 and num_final_steps at least 0")
        if not (0 <= self.alpha_max <= 1 and 0 < self.beta < 1 and self.eta >= 1):
            raise ValueError("alpha_max must lie in [0, 1], beta in (0, 1), and eta must be at least 1")
        if self.max_move is not None and self.max_move <= 0:
            raise ValueError("max_move must be positive, or None for no limit")

    def run(self, problem: Problem, surface: Surface) -> Nearest:
        """The shortest adversary on the way from the problem's start, or from its inputs."""
        inputs, threat = problem.inputs, problem.threat
        nearest = Nearest(inputs, torch.full((len(inputs),), torch.inf, dtype=torch.float64, device=inputs.device))
        current = inputs if problem.start is None else problem.start
        for _ in range(self.num_iterations):
            value, normal = surface(problem.model, current, problem.targets)
            current = self._step(value, normal, inputs, current, threat)
            fallen = problem.fallen(current)
            distance = threat.distance(inputs, current).where(fallen, torch.inf)
            nearest = nearest.merge(current, distance)
            pulled = inputs + (current - inputs) * self.beta
            current = torch.where(per_case(fallen), pulled, current)
        return bisect(problem, nearest, self.num_final_steps)

    def _step(self, value: Tensor, normal: Tensor, inputs: Tensor, current: Tensor, threat: ThreatModel) -> Tensor:
        """Move to the hyperplane from the current and from the clean volume, within the support, and mix the two."""
        lower, upper = threat.box.lower.to(inputs), threat.box.upper.to(inputs)
        if threat.support is not None:
            # What may not move has no part in the way to the hyperplane: a step that moved it would be refused.
            normal = normal * threat.support
        speed = projection_speed(threat, normal)
        at_inputs = value.double() + (normal * (inputs - current)).flatten(1).sum(1, dtype=torch.float64)
        moves = [
            project_onto_hyperplane(residual, normal, (lower - point).clamp(max=0), (upper - point).clamp(min=0), speed)
            for point, residual in ((current, value.double()), (inputs, at_inputs))
        ]
        lengths = [threat.distance(torch.zeros_like(move), move).clamp(min=MIN_MOVE) for move in moves]
        alpha = (lengths[0] / (lengths[0] + lengths[1])).clamp(max=self.alpha_max)
        if self.max_move is not None:
            shrink = (self.max_move / lengths[0]).clamp(max=1)
            alpha = alpha.where(shrink == 1, 0)
            moves[0] = moves[0] * per_case(shrink).to(inputs)
        alpha = per_case(alpha).to(inputs)
        mixed = (current + self.eta * moves[0]) * (1 - alpha) + (inputs + self.eta * moves[1]) * alpha
        if threat.support is not None:
            mixed = torch.where(threat.support, mixed, inputs)  # the weighted mean of two equal values rounds
        return threat.clip_to_box(mixed)


def bisect(problem: Problem, nearest: Nearest, num_steps: int) -> Nearest:
    """Halve the stretch between a point that stands and the adversary, in the cases that have one."""
    inputs, end = problem.inputs, nearest.adversarial
    low = torch.zeros_like(nearest.distance)
    high = torch.ones_like(nearest.distance)
    for _ in range(num_steps):
        middle = (low + high) / 2
        candidate = inputs + (end - inputs) * per_case(middle).to(inputs)
        fallen = problem.fallen(candidate) & nearest.distance.isfinite()
        distance = problem.threat.distance(inputs, candidate).where(fallen, torch.inf)
        nearest = nearest.merge(candidate, distance)
        low, high = torch.where(fallen, low, middle), torch.where(fallen, middle, high)
    return nearest
