"""A limit on the passes or the time of an attack, and the worst volume seen until it was reached."""

import torch
from torch import Tensor

from rogseg.attacks.foreground import case_dice
from rogseg.attacks.threats import ThreatModel, per_case
from rogseg.metrics import mean_foreground_dice

__all__ = ["PassesSpentError", "WorstSeen"]


class PassesSpentError(RuntimeError):
    """The next pass would exceed the limit on passes or time; `Attack.__call__` catches it."""


class WorstSeen:
    """The volume of lowest Dice of each case among those that the model was asked for, ball and box allowing.

    An attack that is stopped in the middle has handed nothing back; this is what it would have had. A case without
    foreground has no Dice and keeps its clean volume.

    Args:
        inputs: (B, C, D, H, W), the clean volumes.
        targets: (B, D, H, W).
        threat: ball and box.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, threat: ThreatModel) -> None:
        self.inputs, self.targets, self.threat = inputs, targets, threat
        self.volume = inputs
        self.dice = torch.full((len(inputs),), torch.inf, dtype=torch.float64, device=inputs.device)

    @torch.no_grad()
    def see(self, volume: Tensor, logits: Tensor) -> None:
        """Look at a volume that the model was asked for, and what it said; parts of the batch are passed over."""
        if volume.shape != self.inputs.shape:
            return
        dice = mean_foreground_dice(case_dice(logits, self.targets))
        worse = (dice < self.dice) & self.threat.contains(self.inputs, volume)
        if worse.any():
            # A new tensor: the attack may go on writing into its own.
            self.volume = torch.where(per_case(worse), volume.detach(), self.volume)
            self.dice = torch.where(worse, dice, self.dice)
