"""AdversarialLoss: the model's own loss on the crafted volumes alone."""

from torch import Tensor, nn

from rogseg.attacks.objectives import CrossEntropy, Objective
from rogseg.cases import Batch, LogitFn
from rogseg.registry import ROBUST_LOSSES
from rogseg.trainers.base import model_losses
from rogseg.trainers.losses.base import RobustLoss

__all__ = ["AdversarialLoss"]


@ROBUST_LOSSES.register_module()
class AdversarialLoss(RobustLoss):
    """Minimises the model's own loss on what was crafted.

    Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, equation 2.1.
    Deviation: crafts ascend the cross-entropy alone, not the whole training loss.
    """

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def objective(self, predict: LogitFn, batch: Batch) -> Objective:
        """The cross-entropy."""
        return CrossEntropy()

    def __call__(self, model: nn.Module, batch: Batch, adversarial: Tensor) -> dict[str, Tensor]:
        """The model's own terms; see `RobustLoss`."""
        return model_losses(model, batch, adversarial)
