"""What adversarial training with one step of ascent shares; where the step starts and ends is its kind's."""

from abc import abstractmethod
from functools import partial
from typing import Any, final

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.attacks.objectives import Objective, build_objective
from rogseg.attacks.threats import ThreatModel
from rogseg.trainers.base import Batch, Passes
from rogseg.trainers.crafted_loss import CraftedLossTrainer
from rogseg.trainers.crafting import objective_on
from rogseg.trainers.inner_maximization import Crafted, ascend

__all__ = ["SingleStepTrainer"]


class SingleStepTrainer(CraftedLossTrainer):
    """Trains on one step of steepest ascent from a random point.

    Args:
        epsilon: radius as a fraction of the box's width.
        step_size: in units of epsilon.
        objective: what is ascended, any of `rogseg.attacks.objectives`.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the starts.

    Raises:
        ValueError: an argument out of its range.
    """

    def __init__(
        self,
        epsilon: float,
        step_size: float,
        objective: Objective | dict[str, Any],
        threat: str,
        clean_loss_interval: int,
        seed: int,
    ) -> None:
        super().__init__(epsilon, threat, clean_loss_interval, seed)
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon")
        self.step_size = step_size
        self.objective = build_objective(objective)

    @property
    @final
    def passes(self) -> Passes:
        """One to craft and one to train."""
        return Passes(1, crafting=1)

    @abstractmethod
    def start(self, inputs: Tensor, threat: ThreatModel, generator: torch.Generator) -> Tensor:
        """Where the step starts: (B, C, D, H, W)."""

    @abstractmethod
    def bring_back(self, inputs: Tensor, threat: ThreatModel, volume: Tensor) -> Tensor:
        """What is trained on, from where the step ended: (B, C, D, H, W)."""

    @final
    def craft(
        self,
        module: nn.Module,
        batch: Batch,
        threat: ThreatModel,
        optim_wrapper: OptimWrapper,
        generator: torch.Generator,
    ) -> Crafted:
        """One step from the start, brought back."""
        inputs = batch["inputs"]
        return ascend(
            partial(objective_on, module, self.objective, batch["targets"], optim_wrapper),
            threat,
            self.start(inputs, threat, generator),
            num_iterations=1,
            step_size=self.step_size,
            project=partial(self.bring_back, inputs, threat),
        )
