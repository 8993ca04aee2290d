"""An objective that does not depend on how large the logits are."""

from typing import Any

import torch
from torch import Tensor

from rogseg.attacks.objectives.base import Objective, build_objective
from rogseg.registry import OBJECTIVES

__all__ = ["ScaleFree", "mean_gap"]


@OBJECTIVES.register_module()
class ScaleFree(Objective):
    """Another objective, of logits divided by a share of the case's own margins.

    Logits times 100 give the same labels, but a softmax of them is 0 or 1 almost everywhere: soft Dice, cross-entropy
    and Jensen-Shannon lose their gradient in float32, and an attack on them finds the network robust. Here the logits
    are first divided by ``temperature`` times the case's mean gap between the two highest logits, a constant for the
    gradient, so logits times any factor give the same attack. The mean goes over all voxels: the background, which is
    most of a volume, hardly changes under an attack, so the objective stays the same from one iterate to the next.

    Args:
        objective: what is ascended, an instance or a config of the OBJECTIVES registry.
        temperature: as a share of the mean gap; a lower one is sharper.

    Source: ours; the difference of logits ratio (Croce and Hein 2020) has the same aim voxel by voxel.
    """

    def __init__(self, objective: Objective | dict[str, Any], temperature: float = 0.2) -> None:
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}, it must be positive")
        self.objective = build_objective(objective)
        self.temperature = temperature

    def at(self, progress: float) -> Objective:
        """The inner objective of this moment, softened."""
        return ScaleFree(self.objective.at(progress), self.temperature)

    @property
    def ruler(self) -> Objective:
        """The inner objective's ruler, softened."""
        ruler = self.objective.ruler
        return self if ruler is self.objective else ScaleFree(ruler, self.temperature)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        scale = (self.temperature * mean_gap(logits)).clamp(min=torch.finfo(logits.dtype).tiny)
        return self.objective(logits / scale.view(-1, 1, 1, 1, 1), targets)


@torch.no_grad()
def mean_gap(logits: Tensor) -> Tensor:
    """Mean over the voxels of a case of the difference between the two highest logits, (B,)."""
    highest = logits.topk(2, dim=1).values
    return (highest[:, 0] - highest[:, 1]).flatten(1).mean(1)
