"""Which voxels a minimal-norm attack has to win, and how far each is from that."""

import torch
from torch import Tensor

from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.objectives.scale_free import mean_gap
from rogseg.attacks.threats import per_case

__all__ = ["VoxelConstraints"]

# Of what the criterion lets stand, so that a case does not stop just above its threshold.
AIM_BELOW = 0.9
OTHERWISE_LEFT = 0.01  # as published: 99 of 100 voxels must be won


class VoxelConstraints:
    """A number per voxel, at most 0 once another class than the true one is predicted there.

    It is the logit of the true class minus the highest other one, in units of the mean gap between the two highest on
    the clean volume: logits times a constant give the same attack, with two classes, too. What must be won are the
    voxels of the true foreground, each class counting alike; in a case without any it is every voxel. A background
    voxel that turns into foreground helps as well, but nothing asks for it.

    Args:
        clean: logits of the clean volume, (B, K, D, H, W).
        targets: (B, D, H, W).
        criterion: when a case has fallen; of `DiceBelow` it is known which share of a class may stand.
        left: that share, instead of what the criterion says.
    """

    def __init__(self, clean: Tensor, targets: Tensor, criterion: Criterion, left: float | None = None) -> None:
        self.targets = targets
        self.scale = mean_gap(clean).clamp(min=torch.finfo(clean.dtype).tiny)
        self.left = _left_by(criterion) if left is None else left
        has_foreground = (targets > 0).flatten(1).any(1)
        self.groups = [
            [(targets[case] == index).flatten().nonzero().flatten() for index in classes]
            for case, classes in enumerate(_classes_of(targets, has_foreground))
        ]

    def values(self, logits: Tensor) -> Tensor:
        """How far each voxel is from being won, (B, K, D, H, W) -> (B, D, H, W)."""
        true = self.targets[:, None]
        highest = logits.scatter(1, true, -torch.inf).amax(dim=1)
        return (logits.gather(1, true)[:, 0] - highest) / per_case(self.scale)[:, 0].to(logits)

    @torch.no_grad()
    def shares(self, values: Tensor) -> Tensor:
        """What each voxel counts, (B, D, H, W), 1 for a case; 0 for those of each class that are hardest and may stand.

        Args:
            values: from `values`.
        """
        flat = values.flatten(1)
        shares = torch.zeros_like(flat)
        for case, groups in enumerate(self.groups):
            for voxels in groups:
                asked = len(voxels) - int(self.left * len(voxels))
                easiest = flat[case, voxels].topk(asked, largest=False, sorted=False).indices
                shares[case, voxels[easiest]] = 1 / (asked * len(groups))
        return shares.view_as(values)


def _left_by(criterion: Criterion) -> float:
    """The share of a class that may stand: with recall r and nothing invented, Dice is 2 r / (1 + r)."""
    if isinstance(criterion, DiceBelow):
        return AIM_BELOW * criterion.threshold / (2 - criterion.threshold)
    return OTHERWISE_LEFT


def _classes_of(targets: Tensor, has_foreground: Tensor) -> list[list[int]]:
    """The classes that count in each case: those of the foreground, or the background where there is none."""
    found = [sorted(set(case.unique().tolist()) - {0}) for case in targets]
    return [classes if has else [0] for classes, has in zip(found, has_foreground.tolist(), strict=True)]
