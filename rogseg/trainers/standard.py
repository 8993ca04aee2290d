"""Standard training: one pass on the mini-batch as it is."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.cases import Batch
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Passes, Trainer, model_losses, total_loss

__all__ = ["StandardTrainer"]


@TRAINERS.register_module()
class StandardTrainer(Trainer):
    """Empirical risk minimisation; it has no state."""

    @property
    def passes(self) -> Passes:
        """One."""
        return Passes(1)

    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train once on the clean mini-batch; see `Trainer.step`."""
        with optim_wrapper.optim_context(model):
            loss, logs = total_loss(self.losses(model, batch, batch.inputs))
        optim_wrapper.update_params(loss)
        return logs

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """The model's own; see `Trainer.losses`."""
        return model_losses(model, batch, inputs)

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Accept an empty state only; see `Trainer.load_state_dict`."""
        if state:
            raise ValueError(
                f"standard training has no state, but the checkpoint carries {sorted(state)}: it was written by "
                "another trainer; start from it with `load_from` instead of resuming"
            )
