"""Trainers whose loss is the model's own, on the crafted volumes alone."""

from typing import final

from torch import Tensor, nn

from rogseg.cases import Batch
from rogseg.trainers.base import model_losses
from rogseg.trainers.crafting import CraftingTrainer

__all__ = ["CraftedLossTrainer"]


class CraftedLossTrainer(CraftingTrainer):
    """Minimises the model's own loss on what `craft` made."""

    @final
    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """The model's own; see `Trainer.losses`."""
        return model_losses(model, batch, inputs)
