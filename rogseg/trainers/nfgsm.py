"""Noise-augmented single-step adversarial training."""

from typing import Any

import torch
from torch import Tensor

from rogseg.attacks.objectives import Objective
from rogseg.attacks.threats import ThreatModel
from rogseg.registry import TRAINERS
from rogseg.trainers.single_step import SingleStepTrainer

__all__ = ["NFGSMTrainer"]


@TRAINERS.register_module()
class NFGSMTrainer(SingleStepTrainer):
    """Adds noise larger than the ball, takes one step from there, and does not project onto the ball.

    The volumes trained on stay in the box, but lie up to ``noise + step_size`` epsilons from the clean ones: epsilon is
    that of the ball against which the network is meant to be robust, not a bound on what it saw. The logged
    ``delta_over_epsilon`` therefore may exceed 1, and ``share_at_surface`` counts what lies at or beyond the surface.

    Args:
        epsilon: radius as a fraction of the box's width.
        noise: k, largest noise in units of epsilon.
        step_size: alpha, in units of epsilon.
        objective: what is ascended, any of `rogseg.attacks.objectives`.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the noise.

    Raises:
        ValueError: an argument out of its range.

    Source: de Jorge et al., "Make Some Noise: Reliable and Efficient Single-Step Adversarial Training", NeurIPS 2022,
    algorithm 1, with their k = 2 and alpha = epsilon. Deviations: noise and result are clipped to the box, since no
    input of this project's networks lies outside it; the ascent runs in evaluation mode and ascends the cross-entropy,
    not the whole training loss.
    """

    def __init__(
        self,
        epsilon: float = 8 / 255,
        noise: float = 2.0,
        step_size: float = 1.0,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        threat: str = "LinfThreat",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(epsilon, step_size, objective, threat, clean_loss_interval, seed)
        if noise < 0:
            raise ValueError(f"noise={noise} must not be negative, in units of epsilon")
        self.noise = noise

    def start(self, inputs: Tensor, threat: ThreatModel, generator: torch.Generator) -> Tensor:
        """The inputs with uniform noise."""
        return threat.scaled(self.noise).random_start(inputs, generator)

    def bring_back(self, inputs: Tensor, threat: ThreatModel, volume: Tensor) -> Tensor:
        """Clipped to the box only."""
        return threat.clip_to_box(volume)
