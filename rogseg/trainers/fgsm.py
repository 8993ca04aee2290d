"""Fast adversarial training: one step from a random start."""

from typing import Any

import torch
from torch import Tensor

from rogseg.attacks.objectives import Objective
from rogseg.attacks.threats import ThreatModel
from rogseg.registry import TRAINERS
from rogseg.trainers.single_step import SingleStepTrainer

__all__ = ["FGSMTrainer"]


@TRAINERS.register_module()
class FGSMTrainer(SingleStepTrainer):
    """Trains on one step of steepest ascent from a random point of the ball, projected onto ball and box.

    Args:
        epsilon: radius as a fraction of the box's width.
        step_size: in units of epsilon; well above 1.25 the published method overfits catastrophically.
        objective: what is ascended, any of `rogseg.attacks.objectives`.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the starts.

    Raises:
        ValueError: an argument out of its range.

    Source: Wong, Rice and Kolter, "Fast is better than free", ICLR 2020, algorithm 3. Deviations: the start is clipped
    to the box before the step; the ascent runs in evaluation mode and ascends the cross-entropy, not the whole
    training loss.
    """

    def __init__(
        self,
        epsilon: float = 8 / 255,
        step_size: float = 1.25,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        threat: str = "LinfThreat",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(epsilon, step_size, objective, threat, clean_loss_interval, seed)

    def start(self, inputs: Tensor, threat: ThreatModel, generator: torch.Generator) -> Tensor:
        """A random point of the ball."""
        return threat.random_start(inputs, generator)

    def bring_back(self, inputs: Tensor, threat: ThreatModel, volume: Tensor) -> Tensor:
        """Projected onto ball and box."""
        return threat.project(inputs, volume)
