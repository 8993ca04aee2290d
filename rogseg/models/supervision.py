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

    Raises:
        ValueError: the loss gives no scalar, whose sum over voxels would be trained on in silence.
    """
    terms = [
        weight * _scalar(loss, logits.float(), coarse_targets(targets, logits.shape[2:]))
        for logits, weight in zip(outputs, weights, strict=True)
        if weight
    ]
    return torch.stack(terms).sum()


def _scalar(loss: Callable[[Tensor, Tensor], Tensor], logits: Tensor, targets: Tensor) -> Tensor:
    value = loss(logits, targets)
    if not isinstance(value, Tensor) or value.ndim != 0:
        gave = f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise ValueError(
            f"the loss {type(loss).__name__} gave {gave}, it must give a scalar: average it over cases and voxels"
        )
    return value


def coarse_targets(targets: Tensor, size: Sequence[int]) -> Tensor:
    """Class indices (B, D, H, W) on a grid of another size: each voxel has the class at its centre."""
    if targets.shape[1:] == torch.Size(size):
        return targets
    return functional.interpolate(targets[:, None].float(), list(size), mode="nearest-exact")[:, 0].long()
