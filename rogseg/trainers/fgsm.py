"""Fast adversarial training: one step from a random start."""

from functools import partial
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.attacks.objectives import Objective, build_objective
from rogseg.attacks.threat_model import ThreatModel
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Batch
from rogseg.trainers.crafting import CraftingTrainer, objective_on
from rogseg.trainers.inner_maximization import Crafted, ascend

__all__ = ["FGSMTrainer"]


@TRAINERS.register_module()
class FGSMTrainer(CraftingTrainer):
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
        super().__init__(epsilon, threat, clean_loss_interval, seed)
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon")
        self.step_size = step_size
        self.objective = build_objective(objective)

    @property
    def passes_per_step(self) -> float:
        """One to craft and one to train."""
        return 2.0

    def craft(
        self,
        module: nn.Module,
        batch: Batch,
        threat: ThreatModel,
        optim_wrapper: OptimWrapper,
        generator: torch.Generator,
    ) -> Crafted:
        """One projected step from a random start."""
        inputs = batch["inputs"]
        return ascend(
            partial(objective_on, module, self.objective, batch["targets"], optim_wrapper),
            threat,
            threat.random_start(inputs, generator),
            num_iterations=1,
            step_size=self.step_size,
            project=partial(threat.project, inputs),
        )

    def losses(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """The model's own loss on the crafted volumes."""
        losses: dict[str, Tensor] = model(adversarial, batch["targets"], mode="loss")
        return losses
