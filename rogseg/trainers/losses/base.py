"""RobustLoss: what an adversarial training minimises, and what its craft therefore ascends."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from rogseg.attacks.objectives import Objective
from rogseg.cases import Batch, LogitFn

__all__ = ["RobustLoss"]


class RobustLoss(ABC):
    """A loss of the weights on a mini-batch and on the volumes crafted from it."""

    @property
    @abstractmethod
    def passes(self) -> int:
        """Forward-backward passes per mini-batch whose gradient the weights get."""

    @abstractmethod
    def objective(self, predict: LogitFn, batch: Batch) -> Objective:
        """What a craft ascends on these cases, unless the trainer is given an objective of its own.

        Args:
            predict: volumes -> raw logits in float32; the network stands still, in evaluation mode.
            batch: the cases that are attacked.
        """

    @abstractmethod
    def __call__(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """The terms whose sum is minimised, scalars under keys ``loss_<name>``.

        Args:
            model: the segmentor in training mode, or a distributed wrapper of it.
            batch: the clean mini-batch.
            adversarial: (B, C, D, H, W) what was crafted from it.
        """
