"""Craft: the inner maximisation of adversarial training, on a network that stands still.

Leaner than the attacks that measure robustness: the last iterate is taken, whatever its loss, nothing is evaluated
again, and precision is that of the training.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rogseg.attacks.objectives import Objective
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import Batch, LogitFn

__all__ = ["Craft", "Crafted", "InnerProblem", "power_of_two_near"]


class Crafted(NamedTuple):
    """Volumes to train on (B, C, D, H, W), and whether an ascent step changed any voxel (None: no step was asked)."""

    adversarial: Tensor
    moved: Tensor | None


@dataclasses.dataclass(frozen=True)
class InnerProblem:
    """What is to be maximised, by what means.

    Args:
        predict: volumes (B, C, D, H, W) -> raw logits (B, K, D, H, W) in float32; the network is in evaluation mode.
        batch: the mini-batch.
        threat: ball and box of each of its cases.
        objective_of: a network and a mini-batch -> what is ascended there.
    """

    predict: LogitFn
    batch: Batch
    threat: ThreatModel
    objective_of: Callable[[LogitFn, Batch], Objective]

    def of_cases(self, chosen: Tensor) -> "InnerProblem":
        """The same for some of the cases; ``chosen`` is a mask (B,)."""
        return dataclasses.replace(self, batch=self.batch.of_cases(chosen), threat=self.threat.of_cases(chosen))

    def ascend(
        self, start: Tensor, *, num_iterations: int, step_size: float, project: Callable[[Tensor], Tensor]
    ) -> Crafted:
        """Take steps of steepest ascent, by `torch.autograd.grad` only: no weight gets a gradient.

        Args:
            start: (B, C, D, H, W).
            num_iterations: steps.
            step_size: length of each in units of epsilon.
            project: brings a volume back into what is allowed.
        """
        objective = self.objective_of(self.predict, self.batch)
        volume, moved = start, torch.zeros((), dtype=torch.bool, device=start.device)
        scale = power_of_two_near(start[0, 0].numel())
        for iteration in range(num_iterations):
            leaf = volume.detach().requires_grad_()
            values = objective.at(iteration / num_iterations)(self.predict(leaf), self.batch.targets)
            # A mean over voxels has gradients that underflow in float16; the direction does not depend on the factor.
            (gradient,) = torch.autograd.grad(values.sum() * scale, leaf)
            climbed = leaf.detach() + step_size * self.threat.steepest_ascent(gradient.nan_to_num(nan=0.0))
            moved |= (climbed != leaf).any()
            volume = project(climbed)
        return Crafted(volume.detach(), moved)


class Craft(ABC):
    """Makes the volumes to train on from clean ones."""

    @property
    @abstractmethod
    def passes(self) -> float:
        """Forward-backward passes per mini-batch."""

    @abstractmethod
    def __call__(self, problem: InnerProblem, generator: torch.Generator) -> Crafted:
        """Craft; random numbers come from the generator only."""


def power_of_two_near(count: int) -> float:
    """The largest power of two up to a count: a factor that changes no digit of a float."""
    return 2.0 ** math.floor(math.log2(count))
