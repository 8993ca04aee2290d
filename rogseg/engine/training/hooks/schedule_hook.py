"""ScheduleHook: steps the schedulers of the learning rate by what is spent of the training's budget."""

from mmengine.hooks import ParamSchedulerHook

from rogseg.cases import Batch
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS

__all__ = ["ScheduleHook"]


@HOOKS.register_module()
class ScheduleHook(ParamSchedulerHook):
    """MMEngine's hook, for trainers that change their replays, too.

    The length of a schedule is planned once, with the replays that the trainer begins with. When it later replays each
    mini-batch m times as often, a mini-batch costs m times as much of the budget, and the schedule goes m steps.
    """

    def after_train_iter(
        self, runner: TrainingRunner, batch_idx: int, data_batch: Batch | None = None, outputs: dict | None = None
    ) -> None:
        """Step the schedulers that count mini-batches."""
        for _ in range(runner.train_loop.schedule_steps):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Step the schedulers that count epochs."""
        for _ in range(runner.train_loop.schedule_steps):
            super().after_train_epoch(runner)
