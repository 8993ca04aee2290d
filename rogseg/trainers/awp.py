"""Adversarial weight perturbation, around any adversarial training that crafts its mini-batch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.cases import Batch
from rogseg.registry import TRAINERS
from rogseg.trainers.adversarial import AdversarialTrainer
from rogseg.trainers.base import Passes, Trainer, total_loss
from rogseg.trainers.clean_loss import unwrapped
from rogseg.trainers.crafts import power_of_two_near

__all__ = ["AWPTrainer"]


@TRAINERS.register_module()
class AWPTrainer(Trainer):
    """Takes the gradient at weights moved up the adversarial loss, and applies it to the weights as they were.

    Args:
        trainer: an `AdversarialTrainer`, which crafts the mini-batch and says the loss.
        gamma: length of the perturbation of each weight tensor as a fraction of that tensor's norm.
        num_warmup_steps: mini-batches trained without weight perturbation at the start.

    Raises:
        ValueError: gamma is not positive, or the trainer is another than `AdversarialTrainer`.

    Source: Wu, Xia and Wang, "Adversarial Weight Perturbation Helps Robust Generalization", NeurIPS 2020, algorithm 1,
    with one step and, as in their code, only tensors of two and more axes. They take gamma = 0.01 with PGD and 0.005
    with TRADES. Deviation: the ascent direction is averaged over distributed ranks.
    """

    def __init__(
        self, trainer: AdversarialTrainer | dict[str, Any], gamma: float = 0.01, num_warmup_steps: int = 0
    ) -> None:
        built = TRAINERS.build(trainer) if isinstance(trainer, dict) else trainer
        if not isinstance(built, AdversarialTrainer):
            raise ValueError(
                f"{type(built).__name__} crafts no adversarial mini-batch: give AWPTrainer an AdversarialTrainer"
            )
        if not gamma > 0:
            raise ValueError(f"gamma={gamma} must be positive; without it use {type(built).__name__} alone")
        self.trainer = built
        self.threat = built.threat
        self.gamma = gamma
        self.num_warmup_steps = num_warmup_steps

    @property
    def passes(self) -> Passes:
        """Those of the wrapped trainer, and those of its loss once more for the direction of the weights."""
        return Passes(2 * self.trainer.passes.training, self.trainer.passes.crafting)

    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Craft, move the weights up, take the gradient there, move them back, update; see `Trainer.step`."""
        if self.trainer.num_steps < self.num_warmup_steps:
            return self.trainer.step(model, batch, optim_wrapper)
        adversarial, watched = self.trainer.craft_batch(model, batch, optim_wrapper)
        module = unwrapped(model)
        with moved_weights(self.ascent(module, batch, adversarial, optim_wrapper)):
            with optim_wrapper.optim_context(model):
                loss, logs = total_loss(self.losses(model, batch, adversarial))
            # What `update_params` does, with the weights put back between backward pass and update.
            optim_wrapper.backward(optim_wrapper.scale_loss(loss))
        if optim_wrapper.should_update():
            optim_wrapper.step()
            optim_wrapper.zero_grad()
        return logs | watched | {"adversarial_loss": logs["loss"]}

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """Those of the wrapped trainer."""
        return self.trainer.losses(model, batch, inputs)

    def ascent(
        self, module: nn.Module, batch: Batch, adversarial: Tensor, optim_wrapper: OptimWrapper
    ) -> list[tuple[nn.Parameter, Tensor]]:
        """How far each weight tensor moves."""
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad and parameter.ndim > 1]
        with optim_wrapper.optim_context(module):
            loss, _ = total_loss(self.losses(module, batch, adversarial))
        scale = power_of_two_near(batch.targets[0].numel())  # against underflow; the direction is normalised
        gradients = torch.autograd.grad(loss * scale, parameters, allow_unused=True, materialize_grads=True)
        moves = []
        for parameter, gradient in zip(parameters, gradients, strict=True):
            direction = gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
            if torch.distributed.is_initialized():
                torch.distributed.all_reduce(direction)
            norm = direction.norm().clamp_min(torch.finfo(direction.dtype).tiny)
            moves.append((parameter, direction * (self.gamma * parameter.detach().norm() / norm)))
        return moves

    def state_dict(self) -> dict[str, Any]:
        """That of the wrapped trainer."""
        return self.trainer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Hand the state to the wrapped trainer; see `Trainer.load_state_dict`."""
        self.trainer.load_state_dict(state)


@contextmanager
def moved_weights(moves: list[tuple[nn.Parameter, Tensor]]) -> Iterator[None]:
    """Weights moved inside; afterwards exactly those from before."""
    before = [parameter.detach().clone() for parameter, _ in moves]
    try:
        with torch.no_grad():
            for parameter, move in moves:
                parameter.add_(move)
        yield
    finally:
        with torch.no_grad():
            for (parameter, _), original in zip(moves, before, strict=True):
                parameter.copy_(original)
