"""Noise-augmented single-step adversarial training."""

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

__all__ = ["NFGSMTrainer"]


@TRAINERS.register_module()
class NFGSMTrainer(CraftingTrainer):
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
        super().__init__(epsilon, threat, clean_loss_interval, seed)
        if noise < 0:
            raise ValueError(f"noise={noise} must not be negative, in units of epsilon")
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon")
        self.noise = noise
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
        """One step from the noisy volume, clipped to the box only."""
        return ascend(
            partial(objective_on, module, self.objective, batch["targets"], optim_wrapper),
            threat,
            threat.scaled(self.noise).random_start(batch["inputs"], generator),
            num_iterations=1,
            step_size=self.step_size,
            project=threat.clip_to_box,
        )

    def losses(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """The model's own loss on the crafted volumes."""
        losses: dict[str, Tensor] = model(adversarial, batch["targets"], mode="loss")
        return losses
