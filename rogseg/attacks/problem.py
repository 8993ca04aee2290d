"""What an attack is asked to solve."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rogseg.attacks.counted_model import CountedModel
from rogseg.attacks.criteria import Criterion
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import rows_of

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """Make these cases fall, within this threat model.

    Args:
        model: counts its passes; `counted_model.value_and_gradient` makes one forward and one backward of it.
        inputs: (B, C, D, H, W), clean, inside the box.
        targets: (B, D, H, W) int64 class indices.
        threat: ball and box.
        criterion: when a case has fallen.
        start: (B, C, D, H, W) in ball and box, or None for the attack's own start.
    """

    model: CountedModel
    inputs: Tensor
    targets: Tensor
    threat: ThreatModel
    criterion: Criterion
    start: Tensor | None = None

    @torch.no_grad()
    def fallen(self, volume: Tensor) -> Tensor:
        """One forward pass: the criterion on a volume (B, C, D, H, W), (B,) bool."""
        return self.criterion(self.model(volume), self.targets)

    def of_cases(self, index: Tensor) -> "Problem":
        """The problem of some cases of the batch; ``index`` is a mask (B,) or indices."""
        return replace(
            self,
            inputs=self.inputs[index],
            targets=self.targets[index],
            threat=self.threat.of_cases(index),
            start=None if self.start is None else rows_of(self.start, index),
        )
