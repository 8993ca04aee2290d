"""Free adversarial training: the backward pass that trains the weights also moves the perturbation."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.attacks.threats import ThreatModel
from rogseg.cases import Batch
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Passes, Trainer, model_losses, total_loss
from rogseg.trainers.clean_loss import clean_loss
from rogseg.trainers.perturbation import MovementGuard, TrainingThreat, perturbation_logs, step_generator

__all__ = ["FreeTrainer"]

BetweenBatches = Literal["keep", "zero", "random"]


@TRAINERS.register_module()
class FreeTrainer(Trainer):
    """Replays each mini-batch; every replay moves the weights down and the perturbation up the same gradient.

    The step goes along the sign of each voxel's own gradient (Linf) or along each case's own gradient (L2), so neither
    the mean over the batch nor loss scaling changes it.

    Args:
        num_replays: m, how often each mini-batch is trained on.
        epsilon: radius as a fraction of the box's width.
        threat: ``LinfThreat`` or ``L2Threat``.
        step_size: length of the perturbation's step in units of epsilon.
        between_batches: what the next mini-batch starts from. ``keep``: slot i of the batch starts from the
            perturbation that slot i ended with, whatever case, place or augmentation it now holds, in units of the
            box's width and clipped to the new case's ball and box; slots that a smaller last batch leaves out keep
            theirs; a patch of another shape starts from zero. ``zero`` and ``random`` (uniform in the ball): nothing
            is carried over.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the random starts; a training gives its own where a config says none.

    Raises:
        ValueError: an argument out of its range, or one that would never train on a perturbed input.

    Source: Shafahi et al., "Adversarial Training for Free!", NeurIPS 2019, algorithm 1; `step_size` 1 and ``keep``
    are theirs, the other starts are not. Deviations: the perturbation itself is clipped to the box, not only the sum,
    so it does not grow where it has no effect; epsilon is per case and channel. Gradient accumulation counts replays:
    the perturbation moves at each, the weights after every `accumulative_counts`-th.

    Logged, besides what all trainers log, is ``input_gradient``: the L1 norm of the gradient of a case's loss with
    respect to its voxels that may move, averaged over cases and replays; not finite where loss scaling overflowed.
    """

    def __init__(
        self,
        num_replays: int = 5,
        epsilon: float = 8 / 255,
        threat: str = "LinfThreat",
        step_size: float = 1.0,
        between_batches: BetweenBatches = "keep",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        if num_replays < 1:
            raise ValueError(f"num_replays={num_replays} must be at least 1")
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, or the perturbation never moves")
        if between_batches not in ("keep", "zero", "random"):
            raise ValueError(f"between_batches={between_batches!r} must be 'keep', 'zero' or 'random'")
        if between_batches == "zero" and num_replays == 1:
            raise ValueError("between_batches='zero' with one replay only ever trains on clean inputs: use 'keep'")
        self.num_replays = num_replays
        self.threat: TrainingThreat = TrainingThreat(threat, epsilon)
        self.step_size = step_size
        self.between_batches = between_batches
        self.clean_loss_interval = clean_loss_interval
        self.seed = seed
        self.guard = MovementGuard()
        self.num_steps = 0
        self.kept: Tensor | None = None  # (slots, C, D, H, W), in units of the box's width

    @property
    def passes(self) -> Passes:
        """One per replay, whose gradient the perturbation gets, too."""
        return Passes(self.num_replays)

    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train on the mini-batch `num_replays` times; see `Trainer.step`."""
        inputs, threat = batch.inputs, self.threat.of_batch(batch)
        looked = {}
        if self.clean_loss_interval and self.num_steps % self.clean_loss_interval == 0:
            looked["clean_loss"] = clean_loss(model, batch, optim_wrapper)
        adversarial = trained_on = self.start(inputs, threat)
        replays, moved = [], torch.zeros((), dtype=torch.bool, device=inputs.device)
        for _ in range(self.num_replays):
            trained_on = adversarial.detach().requires_grad_()
            with optim_wrapper.optim_context(model):
                loss, logs = total_loss(self.losses(model, batch, trained_on))
            scales: list[Tensor] = []
            loss.register_hook(scales.append)  # type: ignore[no-untyped-call]
            optim_wrapper.update_params(loss)
            gradient = input_gradient(trained_on)
            # The backward pass began with the factor of loss scaling and accumulation in place of 1.
            replays.append(logs | {"input_gradient": (gradient * batch.movable).abs().sum() / scales[0]})
            # NaN, as loss scaling may leave, points nowhere.
            climbed = trained_on.detach() + self.step_size * threat.steepest_ascent(gradient.nan_to_num(nan=0.0))
            moved |= (climbed != trained_on).any()
            adversarial = threat.project(inputs, climbed)
        trained_on = trained_on.detach()
        self.guard.observe(threat, inputs, trained_on, moved=moved)
        self.keep((adversarial - inputs) / threat.box.width)
        self.num_steps += 1
        means = {key: torch.stack([logs[key] for logs in replays]).mean() for key in replays[0]}
        looked["adversarial_loss"] = replays[-1]["loss"]
        return means | looked | perturbation_logs(threat, inputs, trained_on)

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """The model's own terms; see `Trainer.losses`."""
        return model_losses(model, batch, inputs)

    @torch.no_grad()
    def start(self, inputs: Tensor, threat: ThreatModel) -> Tensor:
        """The volumes of the first replay, in ball and box: (B, C, D, H, W)."""
        if self.between_batches == "random":
            return threat.random_start(inputs, step_generator(self.seed, self.num_steps, inputs.device))
        adversarial = inputs.clone()
        if self.kept is not None and self.kept.shape[1:] == inputs.shape[1:]:
            carried = self.kept[: len(inputs)].to(inputs)
            adversarial[: len(carried)] += (
                carried * threat.box.width.expand(len(inputs), -1, -1, -1, -1)[: len(carried)]
            )
        return threat.project(inputs, adversarial)

    def keep(self, delta: Tensor) -> None:
        """Carry a perturbation, in units of the box's width, to the next mini-batch."""
        if self.between_batches != "keep":
            return
        if self.kept is not None and self.kept.shape[1:] == delta.shape[1:] and len(self.kept) > len(delta):
            delta = torch.cat([delta, self.kept[len(delta) :].to(delta)])
        self.kept = delta

    def state_dict(self) -> dict[str, Any]:
        """Steps so far and, where it is kept, this rank's perturbation."""
        kept = {} if self.kept is None else {"kept": self.kept.detach().cpu()}
        return {"num_steps": self.num_steps, "num_still": self.guard.num_still, **kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; see `Trainer.load_state_dict`."""
        if not {"num_steps", "num_still"} <= set(state) <= {"num_steps", "num_still", "kept"}:
            raise ValueError(f"not a state of Free adversarial training: it has the keys {sorted(state)}")
        self.num_steps, self.guard.num_still = int(state["num_steps"]), int(state["num_still"])
        self.kept = state.get("kept")


def input_gradient(trained_on: Tensor) -> Tensor:
    """The gradient that a backward pass left at its input; loss scaling may leave values that are not finite.

    Raises:
        RuntimeError: the backward pass did not reach the input.
    """
    if trained_on.grad is None:
        raise RuntimeError(
            "the loss has no gradient with respect to its inputs: the model detaches them or runs under no_grad"
        )
    return trained_on.grad
