"""DiceLoss: one minus soft Dice of the foreground."""

import torch
from torch import Tensor, nn

from rogseg.registry import LOSSES

__all__ = ["DiceLoss"]


@LOSSES.register_module()
class DiceLoss(nn.Module):
    """One minus soft Dice per case and foreground class, averaged.

    Args:
        weight: factor of the term.
        smooth: added to numerator and denominator [voxels], so that an absent class that is not predicted costs 0.

    Source: Milletari et al. 2016, with plain sums in the denominator as in nnU-Net.
    """

    name = "dice"

    def __init__(self, weight: float = 1.0, smooth: float = 1.0) -> None:
        super().__init__()
        self.weight, self.smooth = weight, smooth

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> scalar."""
        probabilities = logits.softmax(dim=1)[:, 1:].flatten(2)
        classes = torch.arange(1, logits.shape[1], device=targets.device)[:, None]
        true = (targets.flatten(1)[:, None] == classes).to(probabilities.dtype)
        overlap = (probabilities * true).sum(2)
        size = probabilities.sum(2) + true.sum(2)
        return self.weight * (1 - (2 * overlap + self.smooth) / (size + self.smooth)).mean()
