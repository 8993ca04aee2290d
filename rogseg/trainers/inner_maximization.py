"""The inner maximisation of adversarial training: steps of steepest ascent on a fixed network.

Leaner than the attacks that measure robustness: the last iterate is taken, whatever its loss, nothing is evaluated
again, and precision is that of the training.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rogseg.attacks.threats import ThreatModel

__all__ = ["Crafted", "ascend", "power_of_two_near"]


class Crafted(NamedTuple):
    """Volumes to train on (B, C, D, H, W), and whether an ascent step changed any voxel (None: no step was asked)."""

    adversarial: Tensor
    moved: Tensor | None


def ascend(
    objective: Callable[[Tensor, float], Tensor],
    threat: ThreatModel,
    start: Tensor,
    *,
    num_iterations: int,
    step_size: float,
    project: Callable[[Tensor], Tensor],
) -> Crafted:
    """Climb an objective from a starting volume.

    Args:
        objective: volumes (B, C, D, H, W) and the share of iterations done -> (B,), differentiable.
        threat: says what steepest ascent is.
        start: (B, C, D, H, W).
        num_iterations: steps.
        step_size: length of each in units of epsilon.
        project: brings a volume back into what is allowed.
    """
    volume, moved = start, torch.zeros((), dtype=torch.bool, device=start.device)
    scale = power_of_two_near(start[0, 0].numel())
    for iteration in range(num_iterations):
        leaf = volume.detach().requires_grad_()
        # A mean over voxels has gradients that underflow in float16; the direction does not depend on the factor.
        total = objective(leaf, iteration / num_iterations).sum() * scale
        (gradient,) = torch.autograd.grad(total, leaf)
        climbed = leaf.detach() + step_size * threat.steepest_ascent(gradient.nan_to_num(nan=0.0))
        moved |= (climbed != leaf).any()
        volume = project(climbed)
    return Crafted(volume.detach(), moved)


def power_of_two_near(count: int) -> float:
    """The largest power of two up to a count: a factor that changes no digit of a float."""
    return 2.0 ** math.floor(math.log2(count))
