"""MART: misclassified voxels are held to their clean prediction more than the others."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rogseg.attacks.objectives import CrossEntropy, Objective
from rogseg.cases import Batch, LogitFn
from rogseg.registry import ROBUST_LOSSES
from rogseg.trainers.losses.base import RobustLoss
from rogseg.trainers.losses.trades import voxel_divergence

__all__ = ["MART"]


@ROBUST_LOSSES.register_module()
class MART(RobustLoss):
    """Minimises, averaged over the voxels that may move, the sum of two terms.

    ``boosted_ce``: -log p_y - log(1 - largest p of another class) on the crafted volume.
    ``consistency``: lambda times KL(clean || crafted) times one minus the clean probability of the true class.

    Args:
        consistency: lambda, weight of the second term.

    Raises:
        ValueError: an argument out of its range.

    Source: Wang et al., "Improving Adversarial Robustness Requires Revisiting Misclassified Examples", ICLR 2020,
    with their lambda = 5; they craft by ``PGDCraft(num_iterations=10)`` on the cross-entropy. Deviation: everything is
    taken per voxel. As theirs, it replaces the model's own loss, Dice in it.
    """

    def __init__(self, consistency: float = 5.0) -> None:
        if not consistency >= 0:
            raise ValueError(f"consistency={consistency} must not be negative")
        self.consistency = consistency

    @property
    def passes(self) -> int:
        """Clean and crafted volumes go through the network once each."""
        return 2

    def objective(self, predict: LogitFn, batch: Batch) -> Objective:
        """The cross-entropy."""
        return CrossEntropy()

    def __call__(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """Both terms, with gradient through both predictions; see `RobustLoss`."""
        clean_logits, logits = model(torch.cat([batch.inputs, adversarial]), mode="tensor").float().chunk(2)
        clean_error = 1 - clean_logits.softmax(dim=1).gather(1, batch.targets[:, None])[:, 0]
        held = voxel_divergence(clean_logits, logits) * clean_error
        counts = batch.movable[:, 0] / batch.movable.sum().clamp_min(1)
        return {
            "loss_boosted_ce": (counts * boosted_cross_entropy(logits, batch.targets)).sum(),
            "loss_consistency": self.consistency * (counts * held).sum(),
        }


def boosted_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-log p_y - log(1 - largest p of another class) of each voxel: (B, K, D, H, W), (B, D, H, W) -> (B, D, H, W)."""
    log_p, true = F.log_softmax(logits, dim=1), targets[:, None]
    rival = log_p.scatter(1, true, -torch.inf).argmax(dim=1, keepdim=True)
    # One minus a probability near 1 is 0 in float32, while the sum over the other classes keeps its digits.
    log_others = log_p.scatter(1, rival, -torch.inf).logsumexp(dim=1)
    return -log_p.gather(1, true)[:, 0] - log_others
