"""TRADES: clean loss plus the divergence between clean and adversarial predictions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rogseg.attacks.objectives import Objective
from rogseg.cases import Batch, LogitFn
from rogseg.registry import ROBUST_LOSSES
from rogseg.trainers.base import model_losses
from rogseg.trainers.losses.base import RobustLoss

__all__ = ["TRADES", "DivergenceFrom", "voxel_divergence"]


@ROBUST_LOSSES.register_module()
class TRADES(RobustLoss):
    """Minimises the model's loss on clean volumes plus beta times KL(clean || adversarial).

    The divergence is averaged over the voxels of each case that may move, then over cases; crafts ascend it.

    Args:
        beta: weight of the divergence.

    Raises:
        ValueError: an argument out of its range.

    Source: Zhang et al., "Theoretically Principled Trade-off between Robustness and Accuracy", ICML 2019, algorithm 1,
    with their beta = 6; they craft by ``PGDCraft(num_iterations=10, start="noise")``. Deviations: the clean term is the
    model's own loss (Dice and cross-entropy); the divergence is taken per voxel.
    """

    def __init__(self, beta: float = 6.0) -> None:
        if not beta > 0:
            raise ValueError(f"beta={beta} must be positive; without it this is StandardTrainer")
        self.beta = beta

    @property
    def passes(self) -> int:
        """One for the model's loss and two for the divergence, as the authors do."""
        return 3

    @torch.no_grad()
    def objective(self, predict: LogitFn, batch: Batch) -> Objective:
        """The divergence from what is predicted of the clean volumes."""
        return DivergenceFrom(predict(batch.inputs), batch.movable)

    def __call__(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """The model's own terms on clean volumes and ``loss_divergence``, with gradient through both its sides."""
        losses = model_losses(model, batch, batch.inputs)
        clean_logits, logits = model(torch.cat([batch.inputs, adversarial]), mode="tensor").float().chunk(2)
        divergence = case_means(voxel_divergence(clean_logits, logits), batch.movable)
        return {**losses, "loss_divergence": self.beta * divergence.mean()}


class DivergenceFrom(Objective):
    """KL(clean || other) of the class probabilities, averaged over voxels that may move; no label is asked for.

    Args:
        clean_logits: (B, K, D, H, W).
        movable: (B, 1, D, H, W) bool.
    """

    def __init__(self, clean_logits: Tensor, movable: Tensor) -> None:
        self.clean_logits, self.movable = clean_logits, movable

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) -> (B,)."""
        return case_means(voxel_divergence(self.clean_logits, logits), self.movable)


def case_means(values: Tensor, movable: Tensor) -> Tensor:
    """Means over the voxels of each case that may move; 0 of a case without any.

    A mean over the voxels of all cases together would weigh a case by how much padding the others in its process have.

    Args:
        values: (B, D, H, W).
        movable: (B, 1, D, H, W) bool.

    Returns:
        (B,).
    """
    counts = movable[:, 0].flatten(1)
    return (values.flatten(1) * counts).sum(dim=1) / counts.sum(dim=1).clamp_min(1)


def voxel_divergence(clean_logits: Tensor, logits: Tensor) -> Tensor:
    """KL(clean || other) of the class probabilities of each voxel: (B, K, D, H, W) twice -> (B, D, H, W)."""
    clean, other = F.log_softmax(clean_logits, dim=1), F.log_softmax(logits, dim=1)
    return F.kl_div(other, clean, reduction="none", log_target=True).sum(dim=1)
