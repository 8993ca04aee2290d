"""TRADES: clean loss plus the divergence between clean and adversarial predictions."""

from functools import partial

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn import functional as F

from rogseg.attacks.threats import ThreatModel
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Batch, Passes, model_losses
from rogseg.trainers.crafting import CraftingTrainer
from rogseg.trainers.inner_maximization import Crafted, ascend

__all__ = ["TRADESTrainer", "voxel_divergence"]

START_NOISE = 0.001  # standard deviation of the start, as a fraction of the box's width


@TRAINERS.register_module()
class TRADESTrainer(CraftingTrainer):
    """Minimises the model's loss on clean volumes plus beta times KL(clean || adversarial), averaged over voxels.

    Args:
        beta: weight of the divergence.
        epsilon: radius as a fraction of the box's width.
        num_iterations: k, steps that ascend the divergence.
        step_size: of each step in units of epsilon; None is 2.5 / num_iterations, which can cross the ball.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the starts.

    Raises:
        ValueError: an argument out of its range.

    Source: Zhang et al., "Theoretically Principled Trade-off between Robustness and Accuracy", ICML 2019, algorithm 1,
    with their beta = 6, k = 10 and Gaussian start. Deviations: the clean term is the model's own loss (Dice and
    cross-entropy); the divergence is taken per voxel.
    """

    def __init__(
        self,
        beta: float = 6.0,
        epsilon: float = 8 / 255,
        num_iterations: int = 10,
        step_size: float | None = None,
        threat: str = "LinfThreat",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(epsilon, threat, clean_loss_interval, seed)
        if not beta > 0:
            raise ValueError(f"beta={beta} must be positive; without it this is StandardTrainer")
        if num_iterations < 1:
            raise ValueError(f"num_iterations={num_iterations} must be at least 1")
        if step_size is not None and not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon, or None")
        self.beta = beta
        self.num_iterations = num_iterations
        self.step_size = 2.5 / num_iterations if step_size is None else step_size

    @property
    def passes(self) -> Passes:
        """Those of the ascent; to train, one for the model's loss and two for the divergence, as the authors do."""
        return Passes(3, crafting=self.num_iterations)

    def craft(
        self,
        module: nn.Module,
        batch: Batch,
        threat: ThreatModel,
        optim_wrapper: OptimWrapper,
        generator: torch.Generator,
    ) -> Crafted:
        """The volumes whose prediction diverges most from the clean one."""
        inputs = batch["inputs"]
        with torch.no_grad(), optim_wrapper.optim_context(module):
            clean_logits = module(inputs, mode="tensor").float()

        def divergence(volume: Tensor, _: float) -> Tensor:
            with optim_wrapper.optim_context(module):
                logits = module(volume, mode="tensor")
            return voxel_divergence(clean_logits, logits.float())

        # At the clean volume itself the divergence is at its minimum and has no gradient.
        noise = torch.randn(inputs.shape, generator=generator, device=generator.device).to(inputs)
        start = threat.project(inputs, inputs + START_NOISE * threat.box.width * noise)
        return ascend(
            divergence,
            threat,
            start,
            num_iterations=self.num_iterations,
            step_size=self.step_size,
            project=partial(threat.project, inputs),
        )

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """The model's own loss on the clean volumes and ``loss_divergence``, with gradient through both its sides."""
        losses = model_losses(model, batch, batch["inputs"])
        clean_logits, logits = model(torch.cat([batch["inputs"], inputs]), mode="tensor").float().chunk(2)
        return {**losses, "loss_divergence": self.beta * voxel_divergence(clean_logits, logits).mean()}


def voxel_divergence(clean_logits: Tensor, logits: Tensor) -> Tensor:
    """KL(clean || other) of the class probabilities, averaged over voxels: (B, K, D, H, W) twice -> (B,)."""
    clean, other = F.log_softmax(clean_logits, dim=1), F.log_softmax(logits, dim=1)
    return F.kl_div(other, clean, reduction="none", log_target=True).sum(dim=1).flatten(1).mean(dim=1)
