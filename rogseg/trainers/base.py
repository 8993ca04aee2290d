"""Trainer: what one mini-batch does to the weights.

The training loop owns epochs, data, hooks and checkpoints; a trainer owns the forward and backward passes of one
mini-batch. It calls ``model(inputs, targets, mode="loss")`` on the model as it is given, wrapper included, because
MMEngine's distributed wrapper never calls a model's own ``train_step``.
"""

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.cases import Batch
from rogseg.registry import TRAINERS
from rogseg.trainers.perturbation import TrainingThreat

__all__ = ["Passes", "Trainer", "model_losses", "seeded", "total_loss"]

LOSS_PREFIX = "loss_"


@dataclasses.dataclass(frozen=True)
class Passes:
    """Forward-backward passes per mini-batch.

    Args:
        training: those whose gradient the weights get.
        crafting: those whose gradient only the inputs get, which is cheaper.
    """

    training: float
    crafting: float = 0.0


class Trainer(ABC):
    """How one mini-batch trains the model."""

    num_replays: int = 1
    """Weight updates per mini-batch. The loop counts each as much as a mini-batch of standard training: its epochs and
    everything counted in epochs are divided by it."""
    threat: TrainingThreat | None = None
    """The ball that it perturbs within; None where it trains on volumes as they are."""

    @property
    @abstractmethod
    def passes(self) -> Passes:
        """What a mini-batch costs, all its replays included."""

    @abstractmethod
    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train on one mini-batch, all its replays included.

        `optim_wrapper.update_params` is called exactly `num_replays` times, and gradient accumulation counts those
        calls.

        Args:
            model: the segmentor, or a distributed wrapper of it, in training mode.
            batch: the mini-batch on the model's device.
            optim_wrapper: decides on precision, loss scaling, accumulation and the update.

        Returns:
            Detached scalars to log; ``loss`` is always there, other keys may come and go from step to step.
        """

    @abstractmethod
    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """The terms whose sum one backward pass of `step` trains on, under keys ``loss_<name>``.

        Args:
            model: the segmentor, or a distributed wrapper of it.
            batch: the mini-batch.
            inputs: what the step made of the batch's inputs, of their shape; its own where it makes nothing of them.
        """

    def end_epoch(self) -> None:  # noqa: B027 (most trainers do nothing)
        """Told on every rank after an epoch's last mini-batch; `num_replays` may change here and nowhere else."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What this rank must find again on resume: tensors and plain numbers only."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave on the same rank.

        Raises:
            ValueError: the state is not one of this trainer.
        """


def model_losses(model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
    """The model's own loss terms on inputs that stand for those of the batch."""
    losses: dict[str, Tensor] = model(inputs, batch.targets, mode="loss")
    return losses


def total_loss(losses: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Sum the loss terms of a model.

    Args:
        losses: scalars under keys ``loss_<name>``. MMEngine adds up whatever has "loss" in its key; here every
            other key is an error, so that nothing is trained on by accident and nothing silently left out.

    Returns:
        The sum, with graph, and the detached terms with the sum under ``loss``.

    Raises:
        ValueError: there is no term, a key is not ``loss_<name>`` or a value is no scalar tensor.
    """
    if not isinstance(losses, Mapping):
        raise ValueError(f"the losses are a {type(losses).__name__}: return a dict, {{'loss_<name>': scalar}}")
    if not losses:
        raise ValueError("the model returned no loss: give it at least one entry in `losses`")
    for key, value in losses.items():
        if not key.startswith(LOSS_PREFIX) or key == LOSS_PREFIX:
            raise ValueError(f"the model returned the key {key!r} with its losses: rename it to 'loss_<name>'")
        if not isinstance(value, Tensor) or value.ndim != 0:
            raise ValueError(f"{key} must be a scalar tensor: average it over cases and voxels in the loss itself")
    first, *others = losses.values()
    total = sum(others, start=first)
    return total, {"loss": total.detach(), **{key: value.detach() for key, value in losses.items()}}


def seeded(config: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The config of a trainer, or of one around another, that draws by this seed unless it says one itself."""
    taken = inspect.signature(TRAINERS.get(config["type"])).parameters
    if "trainer" in taken:
        return {**config, "trainer": seeded(config.get("trainer", taken["trainer"].default), seed)}
    return {"seed": seed, **config} if "seed" in taken else dict(config)
