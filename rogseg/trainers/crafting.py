"""What trainers share that first craft an adversarial mini-batch and then train on it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, final

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.attacks.objectives import Objective
from rogseg.attacks.threats import ThreatModel
from rogseg.trainers.base import Batch, Trainer, total_loss
from rogseg.trainers.clean_loss import clean_loss, evaluation_mode, unwrapped
from rogseg.trainers.inner_maximization import Crafted
from rogseg.trainers.perturbation import MovementGuard, perturbation_logs
from rogseg.trainers.randomness import step_generator
from rogseg.trainers.training_threat import TrainingThreat

__all__ = ["CraftingTrainer", "objective_on"]

STATE = {"num_steps", "num_still"}


class CraftingTrainer(Trainer):
    """Crafts against the unwrapped network in evaluation mode, where dropout is off, then trains through the wrapper.

    Args:
        epsilon: radius as a fraction of the box's width.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of everything random.
    """

    def __init__(self, epsilon: float, threat: str, clean_loss_interval: int, seed: int) -> None:
        self.threat = TrainingThreat(threat, epsilon)
        self.clean_loss_interval = clean_loss_interval
        self.seed = seed
        self.guard = MovementGuard()
        self.num_steps = 0

    @abstractmethod
    def craft(
        self,
        module: nn.Module,
        batch: Batch,
        threat: ThreatModel,
        optim_wrapper: OptimWrapper,
        generator: torch.Generator,
    ) -> Crafted:
        """Craft against a module in evaluation mode, by `torch.autograd.grad` only: no weight gets a gradient."""

    @final
    def craft_batch(
        self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Craft, watch that something moved, and count the step: the volumes and what to log of them."""
        module, threat = unwrapped(model), self.threat.of_batch(batch)
        logs = {}
        if self.clean_loss_interval and self.num_steps % self.clean_loss_interval == 0:
            logs["clean_loss"] = clean_loss(model, batch, optim_wrapper)
        generator = step_generator(self.seed, self.num_steps, batch["inputs"].device)
        with evaluation_mode(module):
            crafted = self.craft(module, batch, threat, optim_wrapper, generator)
        if crafted.moved is not None:
            self.guard.observe(threat, batch["inputs"], crafted.adversarial, moved=crafted.moved)
        self.num_steps += 1
        return crafted.adversarial, logs | perturbation_logs(threat, batch["inputs"], crafted.adversarial)

    @final
    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Craft, then train once; see `Trainer.step`."""
        adversarial, watched = self.craft_batch(model, batch, optim_wrapper)
        with optim_wrapper.optim_context(model):
            loss, logs = total_loss(self.losses(model, batch, adversarial))
        optim_wrapper.update_params(loss)
        return logs | watched | {"adversarial_loss": logs["loss"]}

    @final
    def state_dict(self) -> dict[str, Any]:
        """Steps so far, from which everything random follows."""
        return {"num_steps": self.num_steps, "num_still": self.guard.num_still}

    @final
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; see `Trainer.load_state_dict`."""
        if set(state) != STATE:
            raise ValueError(f"not a state of {type(self).__name__}: it has the keys {sorted(state)}")
        self.num_steps, self.guard.num_still = int(state["num_steps"]), int(state["num_still"])


def objective_on(
    module: nn.Module,
    objective: Objective,
    targets: Tensor,
    optim_wrapper: OptimWrapper,
    volume: Tensor,
    progress: float,
) -> Tensor:
    """An objective of the attacks on what a network says of a volume, in the precision of the training: (B,)."""
    with optim_wrapper.optim_context(module):
        logits = module(volume, mode="tensor")
    return objective.at(progress)(logits.float(), targets)
