"""The threat model of the released ROG evaluation, kept to measure what it does to a number."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rogseg.attacks.threats import LinfThreat, per_case
from rogseg.registry import THREATS

__all__ = ["LegacyROGThreat"]


@THREATS.register_module()
@dataclass(frozen=True)
class LegacyROGThreat(LinfThreat):
    """Linf ball whose points are then clamped to [0, 1], although the inputs are z-scores.

    This is **wrong**: wherever the clean volume lies outside [0, 1] the clamp moves it, by far more than epsilon. A
    volume handed back untouched is not clamped, as in the released code, so an attack that fails shows the clean Dice.
    ``distance`` tells the true length of what comes out, which is how the error shows in the records.

    Args:
        box: valid intensities [network units], of which only the inputs are held to.
        epsilon: [network units] in the released code: make it with ``from_network_units``.

    Source: the released evaluation of Daza et al. 2021. Use `LinfThreat` for everything else.
    """

    def nearest(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Clip to the ball, then to [0, 1]."""
        epsilon = self.epsilon.to(inputs)
        clamped = adversarial.clamp(inputs - epsilon, inputs + epsilon).clamp_(0, 1)
        untouched = (adversarial == inputs).flatten(1).all(1)
        return torch.where(per_case(untouched), inputs, clamped)

    def clip_to_box(self, volume: Tensor) -> Tensor:
        """Clip to [0, 1]."""
        return volume.clamp(0, 1)

    def excess(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """How far from what this threat model's own clipping leaves in place, in units of the box's width."""
        return self.distance(self.project(inputs, adversarial), adversarial)

    def contains(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Whether the distance after the clamp is within epsilon: how the released FAB accepted a result."""
        return self.ball_excess(inputs, adversarial) <= 0
