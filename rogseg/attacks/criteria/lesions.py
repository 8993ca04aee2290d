"""When the lesions of a case are missed, one by one."""

import torch
from torch import Tensor

from rogseg.attacks.criteria.one_class import ClassCriterion
from rogseg.attacks.foreground import class_index
from rogseg.attacks.lesions import found_share
from rogseg.registry import CRITERIA

__all__ = ["LesionsMissed"]


@CRITERIA.register_module()
class LesionsMissed(ClassCriterion):
    """Enough of a case's lesions are missed; never in a case without one.

    A lesion is a connected component of the class (26 neighbours). It is missed when at most a share of its voxels is
    found, however large the others are: a criterion on voxels is met by the largest lesion alone.

    Args:
        target_class: foreground class; -1 is the last one.
        share: of a lesion's voxels that may still be found.
        missed: share of the lesions that must be missed; 1 is all, a very small one is any.
    """

    def __init__(self, target_class: int = -1, share: float = 0.1, missed: float = 1.0) -> None:
        if not 0 <= share < 1:
            raise ValueError(f"share is {share}, expected [0, 1)")
        if not 0 < missed <= 1:
            raise ValueError(f"missed is {missed}, expected a share of the lesions in (0, 1]")
        super().__init__(target_class)
        self.share = share
        self.missed = missed

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) targets -> (B,) bool."""
        shares = self._shares(logits, targets)
        fallen = [len(found) > 0 and bool((found <= self.share).float().mean() >= self.missed) for found in shares]
        return torch.tensor(fallen, device=logits.device)

    def nearness(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The share of the lesions that are missed; of as many, the less of them is found the nearer."""
        shares = self._shares(logits, targets)
        near = [
            (found <= self.share).double().mean() - found.double().mean() / (len(found) + 1) for found in shares
        ]  # NaN without a lesion; less than one lesion counts
        return torch.stack(near).to(logits.device)

    def _shares(self, logits: Tensor, targets: Tensor) -> list[Tensor]:
        """Of each case the share of each lesion that is found."""
        return found_share(logits.argmax(1), targets, class_index(self.target_class, logits.shape[1]))
