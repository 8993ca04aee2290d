"""CrossEntropyLoss: the mean over voxels."""

from torch import Tensor, nn
from torch.nn import functional

from rogseg.registry import LOSSES

__all__ = ["CrossEntropyLoss"]


@LOSSES.register_module()
class CrossEntropyLoss(nn.Module):
    """Cross-entropy averaged over all voxels of the batch.

    Args:
        weight: factor of the term.
    """

    name = "ce"

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> scalar."""
        return self.weight * functional.cross_entropy(logits, targets)
