"""OneCycle: a short rise of the learning rate and a long linear fall."""

from mmengine.optim import _ParamScheduler
from torch.optim import Optimizer

from rogseg.registry import PARAM_SCHEDULERS

__all__ = ["OneCycle"]


@PARAM_SCHEDULERS.register_module()
class OneCycle(_ParamScheduler):
    """Linear from a fraction of the optimizer's learning rate up to it, then linear down, however short the training.

    Args:
        optimizer: the optimizer, or its wrapper.
        by_epoch: whether steps are epochs or iterations; without default, because the Runner reads it, too.
        end: steps of the whole training; the Runner fills it in.
        rise: fraction of the steps that the rise takes, at least one step.
        first: fraction of the learning rate at the start.
        last: fraction of the learning rate at the end.
        last_step: step that is resumed from.

    Raises:
        ValueError: a fraction is not in [0, 1].

    Source: Smith and Topin, "Super-convergence", 2018, without the cycle of the momentum.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        by_epoch: bool,
        end: int,
        rise: float = 0.05,
        first: float = 0.04,
        last: float = 1e-3,
        last_step: int = -1,
    ) -> None:
        if not all(0 <= fraction <= 1 for fraction in (rise, first, last)):
            raise ValueError(f"OneCycle: rise {rise}, first {first} and last {last} must lie in [0, 1]")
        self.rise, self.first, self.last = rise, first, last
        super().__init__(optimizer, param_name="lr", begin=0, end=end, last_step=last_step, by_epoch=by_epoch)

    def scale(self, step: int) -> float:
        """The fraction of the learning rate at a step."""
        peak = max(1, round(self.rise * self.end))
        if step < peak:
            return self.first + (1 - self.first) * step / peak
        return 1 + (self.last - 1) * min(1.0, (step - peak) / max(1, self.end - peak))

    def _get_value(self) -> list[float]:
        return [value * self.scale(self.last_step) for value in self.base_values]
