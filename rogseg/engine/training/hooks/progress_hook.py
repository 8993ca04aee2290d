"""ProgressHook: what a training is doing, on the terminal and in ``train.log``."""

import contextlib
import time
from datetime import timedelta
from pathlib import Path

from mmengine.hooks import Hook

from rogseg.cases import Batch
from rogseg.engine.console import make_console
from rogseg.engine.training.train_loop import TrainLoop
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.progress import ProgressDisplay
from rogseg.registry import HOOKS
from rogseg.storage import naming

__all__ = ["ProgressHook", "epoch_line"]


@HOOKS.register_module()
class ProgressHook(Hook):
    """How far the training is, by `ProgressDisplay`, and one line per epoch."""

    priority = "BELOW_NORMAL"

    def __init__(self) -> None:
        self.display = ProgressDisplay("iterations", console=make_console())
        self.shown = contextlib.ExitStack()
        self.begin = 0.0
        self.first_epoch = 0

    def before_train(self, runner: TrainingRunner) -> None:
        """Say what is trained and open the bar."""
        if runner.rank != 0:
            return
        loop: TrainLoop = runner.train_loop
        self.begin, self.first_epoch = time.monotonic(), loop.epoch
        if loop.epoch:
            self._say(runner, f"resumed after epoch {loop.epoch}")
        self._say(
            runner,
            f"training for {loop.max_epochs} epochs of {len(loop.dataloader)} iterations on {runner.device}; "
            f"checkpoints and curves in {runner.work_dir}",
        )
        self.shown.enter_context(self.display)
        self.display.update(loop.iter, loop.max_iters)

    def after_train_iter(
        self, runner: TrainingRunner, batch_idx: int, data_batch: Batch | None = None, outputs: dict | None = None
    ) -> None:
        """Count it."""
        if runner.rank == 0:
            self.display.update(runner.iter + 1, runner.train_loop.max_iters)

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """One line."""
        if runner.rank == 0:
            loop: TrainLoop = runner.train_loop
            done = loop.epoch + 1 - self.first_epoch
            left = (time.monotonic() - self.begin) / done * (loop.max_epochs - loop.epoch - 1)
            self._say(runner, epoch_line(loop.history, loop.max_epochs, len(loop.dataloader), left))

    def after_run(self, runner: TrainingRunner) -> None:
        """Show no more, also where the training is broken off."""
        self.shown.close()

    def _say(self, runner: TrainingRunner, line: str) -> None:
        self.display.say(line)
        path = Path(runner.work_dir) / "train.log"
        with naming(path), path.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


def epoch_line(history: list[dict[str, float]], max_epochs: int, num_iterations: int, seconds_left: float) -> str:
    """Epoch, losses, Dice, speed, share of the time that was spent waiting for data, time left [s]."""
    record = history[-1]
    parts = [f"epoch {record['epoch']:.0f}/{max_epochs}"]
    parts += [f"{key} {record[key]:.4f}" for key in ("loss", "val_loss") if key in record]
    for key in ("dice", "robust_dice"):
        if key in record:
            best = max(entry[key] for entry in history if key in entry)
            parts.append(f"{key} {record[key]:.4f} (highest {best:.4f})")
    parts.append(f"{num_iterations / record['seconds']:.2f} it/s")
    parts.append(f"waits {100 * record['data_wait']:.1f}%")
    parts.append(f"left {timedelta(seconds=round(seconds_left))}")
    return "  ".join(parts)
