"""ScheduleHook: steps the schedulers of the learning rate by what is spent of the training's budget."""

import warnings

from mmengine.hooks import ParamSchedulerHook

from rogseg.cases import Batch
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS

__all__ = ["ScheduleHook"]


@HOOKS.register_module()
class ScheduleHook(ParamSchedulerHook):
    """MMEngine's hook, for trainers that replay each mini-batch m times.

    A schedule by epochs counts epochs of standard training, as ``max_epochs`` does, of which one of m replays costs m.
    One by mini-batches is planned for the replays that the trainer begins with; when it later replays each mini-batch
    k times as often, a mini-batch costs k times as much of the budget, and the schedule goes k steps. It also goes on
    where gradients accumulate, or loss scaling leaves an update out, before the first update of the weights.
    """

    def after_train_iter(
        self, runner: TrainingRunner, batch_idx: int, data_batch: Batch | None = None, outputs: dict | None = None
    ) -> None:
        """Step the schedulers that count mini-batches."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Detected call of `scheduler\.step\(\)` before", UserWarning)
            for _ in range(runner.train_loop.schedule_steps):
                super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Step the schedulers that count epochs."""
        for _ in range(runner.train_loop.replays):
            super().after_train_epoch(runner)
