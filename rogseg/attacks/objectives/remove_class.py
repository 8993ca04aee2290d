"""One class in place of all: make it vanish, or make it grow."""

from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.foreground import class_index
from rogseg.attacks.objectives.base import Objective
from rogseg.registry import OBJECTIVES

__all__ = ["GrowClass", "RemoveClass"]


@OBJECTIVES.register_module()
class RemoveClass(Objective):
    """log(1 - p) of one class, averaged over the voxels that truly are of it; 0 in a case without any.

    In a clinic a vanished lesion is the failure that matters. The gradient is largest on voxels still found and
    fades on lost ones.

    Args:
        target_class: foreground class; -1 is the last one, which in the Decathlon's tasks with a lesion is the lesion.

    Source: ours; cross-entropy of the complement, as in targeted attacks on classes (Xie et al. 2017).
    """

    def __init__(self, target_class: int = -1) -> None:
        self.target_class = target_class

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        wanted = class_index(self.target_class, logits.shape[1])
        return _mean_over(-F.softplus(log_odds(logits, wanted)), targets == wanted)


@OBJECTIVES.register_module()
class GrowClass(Objective):
    """log(p) of one class, averaged over the voxels that truly are something else; 0 in a case without any.

    Args:
        target_class: foreground class; -1 is the last one.

    Source: ours; targeted cross-entropy on the voxels outside the class.
    """

    def __init__(self, target_class: int = -1) -> None:
        self.target_class = target_class

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        wanted = class_index(self.target_class, logits.shape[1])
        return _mean_over(-F.softplus(-log_odds(logits, wanted)), targets != wanted)


def log_odds(logits: Tensor, index: int) -> Tensor:
    """log(p / (1 - p)) of a class, (B, D, H, W)."""
    others = logits[:, [other for other in range(logits.shape[1]) if other != index]]
    return logits[:, index] - others.logsumexp(dim=1)


def _mean_over(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)
