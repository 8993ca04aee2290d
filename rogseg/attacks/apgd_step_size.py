"""Auto-PGD's schedule: when a case's step is halved."""

import torch
from torch import Tensor

__all__ = ["StepSize"]


class StepSize:
    """The step of each case in units of epsilon, halved at checkpoints that come ever closer.

    Args:
        num_iterations: of the whole run; the checkpoints are set as shares of it.
        rho: share of upward steps below which the step is halved.
        first_loss: (B,), what the first step's loss is compared with.
        best_loss: (B,), the best loss at the start.

    Source: Croce and Hein 2020, section 3.1 and conditions 1 and 2; checkpoints rounded down as in the reference
    implementation.
    """

    def __init__(self, num_iterations: int, rho: float, first_loss: Tensor, best_loss: Tensor) -> None:
        self.size = torch.full_like(best_loss, 2.0)
        self._rho = rho
        self._interval = max(int(0.22 * num_iterations), 1)
        self._shortest = max(int(0.06 * num_iterations), 1)
        self._decrease = max(int(0.03 * num_iterations), 1)
        self._steps = 0
        self._rises = torch.zeros_like(best_loss)
        self._last_loss = first_loss
        self._best_at_check = best_loss
        # True, so that condition 2 (no better loss since an unchanged step) cannot hold at the first checkpoint.
        self._halved_at_check = torch.ones_like(best_loss, dtype=torch.bool)

    def update(self, loss: Tensor, best_loss: Tensor) -> Tensor:
        """Record the loss of an iterate, (B,); returns the cases whose step was halved now, (B,) bool."""
        self._rises += loss > self._last_loss
        self._last_loss = loss
        self._steps += 1
        if self._steps < self._interval:
            return torch.zeros_like(self._halved_at_check)
        oscillates = self._rises <= self._rho * self._steps
        stalls = ~self._halved_at_check & (self._best_at_check >= best_loss)
        halved = oscillates | stalls
        self.size = torch.where(halved, self.size / 2, self.size)
        self._halved_at_check, self._best_at_check = halved, best_loss
        self._steps, self._rises = 0, torch.zeros_like(best_loss)
        self._interval = max(self._interval - self._decrease, self._shortest)
        return halved
