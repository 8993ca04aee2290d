"""AdversarialTrainer: crafts an adversarial mini-batch, then trains on it."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.attacks.model_state import evaluation_mode
from rogseg.attacks.objectives import Objective, build_objective
from rogseg.cases import Batch, LogitFn
from rogseg.registry import CRAFTS, ROBUST_LOSSES, TRAINERS
from rogseg.trainers.base import Passes, Trainer, total_loss
from rogseg.trainers.clean_loss import clean_loss, unwrapped
from rogseg.trainers.crafts import Craft, InnerProblem
from rogseg.trainers.losses import RobustLoss
from rogseg.trainers.perturbation import MovementGuard, TrainingThreat, perturbation_logs, step_generator

__all__ = ["AdversarialTrainer"]

STATE = {"num_steps", "num_still"}


@TRAINERS.register_module()
class AdversarialTrainer(Trainer):
    """How the perturbation is made (craft) times what is trained on it (loss).

    PGD-AT is ``PGDCraft`` with ``AdversarialLoss``, TRADES and MART are ``PGDCraft`` with the loss of that name. The
    craft works against the unwrapped network in evaluation mode, where dropout is off (Pang et al., "Bag of Tricks for
    Adversarial Training", ICLR 2021); then the training pass goes through the wrapper.

    Args:
        craft: of the registry of crafts, e.g. ``dict(type="PGDCraft", num_iterations=3)``.
        loss: of the registry of robust losses.
        epsilon: radius as a fraction of the box's width.
        objective: what the craft ascends, any of `rogseg.attacks.objectives`; None is what the loss asks for.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of everything random; a training gives its own where a config says none.

    Raises:
        ValueError: an argument out of its range.
    """

    def __init__(
        self,
        craft: Craft | dict[str, Any],
        loss: RobustLoss | dict[str, Any] = {"type": "AdversarialLoss"},  # noqa: B006 (only read)
        epsilon: float = 8 / 255,
        objective: Objective | dict[str, Any] | None = None,
        threat: str = "LinfThreat",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        self.craft: Craft = craft if isinstance(craft, Craft) else CRAFTS.build(craft)
        self.loss: RobustLoss = loss if isinstance(loss, RobustLoss) else ROBUST_LOSSES.build(loss)
        self.objective = None if objective is None else build_objective(objective)
        self.threat: TrainingThreat = TrainingThreat(threat, epsilon)
        self.clean_loss_interval = clean_loss_interval
        self.seed = seed
        self.guard = MovementGuard()
        self.num_steps = 0

    @property
    def passes(self) -> Passes:
        """Those of the loss and those of the craft."""
        return Passes(self.loss.passes, crafting=self.craft.passes)

    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Craft, then train once; see `Trainer.step`."""
        adversarial, watched = self.craft_batch(model, batch, optim_wrapper)
        with optim_wrapper.optim_context(model):
            loss, logs = total_loss(self.losses(model, batch, adversarial))
        optim_wrapper.update_params(loss)
        return logs | watched | {"adversarial_loss": logs["loss"]}

    def craft_batch(
        self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Craft, watch that something moved, and count the step: the volumes and what to log of them."""
        module, threat = unwrapped(model), self.threat.of_batch(batch)
        logs = {}
        if self.clean_loss_interval and self.num_steps % self.clean_loss_interval == 0:
            logs["clean_loss"] = clean_loss(model, batch, optim_wrapper)

        def predict(volumes: Tensor) -> Tensor:
            with optim_wrapper.optim_context(module):
                logits: Tensor = module(volumes, mode="tensor")
            return logits.float()

        generator = step_generator(self.seed, self.num_steps, batch.inputs.device)
        with evaluation_mode(module):
            crafted = self.craft(InnerProblem(predict, batch, threat, self.ascended), generator)
        if crafted.moved is not None:
            self.guard.observe(threat, batch.inputs, crafted.adversarial, moved=crafted.moved)
        self.num_steps += 1
        return crafted.adversarial, logs | perturbation_logs(threat, batch.inputs, crafted.adversarial)

    def ascended(self, predict: LogitFn, batch: Batch) -> Objective:
        """What the craft ascends on these cases."""
        return self.loss.objective(predict, batch) if self.objective is None else self.objective

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """Those of the loss, `inputs` being what was crafted; see `Trainer.losses`."""
        return self.loss(model, batch, inputs)

    def state_dict(self) -> dict[str, Any]:
        """Steps so far, from which everything random follows."""
        return {"num_steps": self.num_steps, "num_still": self.guard.num_still}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; see `Trainer.load_state_dict`."""
        if set(state) != STATE:
            raise ValueError(f"not a state of {type(self).__name__}: it has the keys {sorted(state)}")
        self.num_steps, self.guard.num_still = int(state["num_steps"]), int(state["num_still"])
