"""PlateauHook: halves the learning rate when validation stops improving, and ends the training."""

import math
from typing import Any

from mmengine.hooks import Hook

from rogseg.engine.training.train_loop import TrainLoop, divide_epochs
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS

__all__ = ["PlateauHook"]


@HOOKS.register_module()
class PlateauHook(Hook):
    """The paper's schedule; its state is in the checkpoint.

    Beside a ``param_scheduler`` it lowers what that one gives, from then on.

    Args:
        monitor: key of the epoch's record; lower is better.
        window: epochs that are averaged, of those that measured it.
        patience: epochs of standard training without a new lowest average until the learning rate falls; divided by
            the trainer's number of replays.
        factor: what the learning rate is multiplied by.
        min_scale: training stops where the learning rate would fall under this fraction of the first one.
    """

    priority = "LOW"

    def __init__(
        self,
        monitor: str = "val_loss",
        window: int = 5,
        patience: int = 50,
        factor: float = 0.5,
        min_scale: float = 1 / 16,
    ) -> None:
        if window < 1 or patience < 1 or not 0 < factor < 1:
            raise ValueError(
                f"default_hooks.plateau: window {window} and patience {patience} must be at least 1, "
                f"factor {factor} between 0 and 1"
            )
        self.monitor, self.window, self.patience = monitor, window, patience
        self.factor, self.min_scale = factor, min_scale
        self.best, self.num_waited, self.scale = math.inf, 0, 1.0

    def before_train(self, runner: TrainingRunner) -> None:
        """A training that had stopped stays so."""
        runner.train_loop.stop_training |= self.has_stopped

    @property
    def has_stopped(self) -> bool:
        """Whether the learning rate would have fallen under its floor."""
        return self.scale < self.min_scale

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Look at the epoch's record.

        Raises:
            ValueError: the record has no such key.
        """
        loop: TrainLoop = runner.train_loop
        if self.monitor not in loop.history[-1]:
            if loop.validation is None or loop.validation.is_due(loop.epoch, loop.max_epochs):
                raise ValueError(
                    f"default_hooks.plateau.monitor is {self.monitor!r}, which is not measured; "
                    f"known are {', '.join(sorted(loop.history[-1]))}"
                )
            return
        measured = [place for place, record in enumerate(loop.history) if self.monitor in record]
        recent = [loop.history[place][self.monitor] for place in measured[-self.window :]]
        average = math.fsum(recent) / len(recent)
        if average < self.best:
            self.best, self.num_waited = average, 0
            return
        # Epochs that measured nothing were waited for, too.
        self.num_waited += measured[-1] - measured[-2] if len(measured) > 1 else 1
        if self.num_waited >= divide_epochs(self.patience, loop.trainer.num_replays):
            self.scale *= self.factor
            self.num_waited = 0
            if self.has_stopped:
                loop.stop_training = True
                return
            self._lower(runner)

    def _lower(self, runner: TrainingRunner) -> None:
        """Lower the rate, and what schedules compute the next one from: MMEngine keeps it here and there."""
        for group in runner.optim_wrapper.param_groups:
            for key in group:
                if key == "lr" or key.endswith("_lr"):
                    group[key] *= self.factor
        for scheduler in runner.param_schedulers or []:
            if scheduler.param_name == "lr":
                scheduler.base_values = [value * self.factor for value in scheduler.base_values]

    def before_save_checkpoint(self, runner: TrainingRunner, checkpoint: dict[str, Any]) -> None:
        """Put the state into the checkpoint."""
        checkpoint["plateau"] = {"best": self.best, "num_waited": self.num_waited, "scale": self.scale}

    def after_load_checkpoint(self, runner: TrainingRunner, checkpoint: dict[str, Any]) -> None:
        """Take the state over when resuming.

        Raises:
            ValueError: the checkpoint was written under another schedule.
        """
        if runner.is_resuming:
            if "plateau" not in checkpoint:
                raise ValueError(
                    "the checkpoint was written without the plateau schedule: start from it with load_from"
                )
            state = checkpoint["plateau"]
            self.best, self.num_waited, self.scale = state["best"], state["num_waited"], state["scale"]
