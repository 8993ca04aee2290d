"""Deep supervision: a loss on logits of several resolutions, each against the targets on its own grid."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["coarse_targets", "halving_weights", "supervised_loss"]


def halving_weights(count: int) -> tuple[float, ...]:
    """Weights of logits from fine to coarse: each half of the one before, the coarsest 0, their sum 1.

    Source: nnU-Net, whose trainers weigh so. A single one has the weight 1.
    """
    if count == 1:
        return (1.0,)
    weights = [0.5**level for level in range(count - 1)]
    return (*(weight / sum(weights) for weight in weights), 0.0)


def supervised_loss(
    loss: Callable[[Tensor, Tensor], Tensor], outputs: Sequence[Tensor], weights: Sequence[float], targets: Tensor
) -> Tensor:
    """The weighted sum of a loss over several logits, a scalar.

    Args:
        loss: logits (B, K, d, h, w) and targets (B, d, h, w) -> scalar.
        outputs: raw logits, each on a grid of its own; computed in float32, since sums over a volume overflow half
            precision.
        weights: one for each; what weighs 0 is not computed.
        targets: (B, D, H, W) class indices.
    """
    terms = [
        weight * loss(logits.float(), coarse_targets(targets, logits.shape[2:]))
        for logits, weight in zip(outputs, weights, strict=True)
        if weight
    ]
    return torch.stack(terms).sum()


def coarse_targets(targets: Tensor, size: Sequence[int]) -> Tensor:
    """Class indices (B, D, H, W) on a grid of another size: each voxel has the class at its centre."""
    if targets.shape[1:] == torch.Size(size):
        return targets
    return functional.interpolate(targets[:, None].float(), list(size), mode="nearest-exact")[:, 0].long()
