"""SaveHook: the checkpoint to go on from and the best one."""

from pathlib import Path

from mmengine.hooks import Hook

from rogseg.engine.training.train_loop import TrainLoop
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.engine.training.work_dir import best_epoch, write_best
from rogseg.models.checkpoints import LAST
from rogseg.registry import HOOKS

__all__ = ["SaveHook"]


@HOOKS.register_module()
class SaveHook(Hook):
    """Writes ``last.pth``, all it takes to resume, and ``best.pth``, the weights with the highest score.

    Two files, each replaced in one step, however long the training is. ``last.pth`` is written first: it holds the
    weights of a best epoch, too, so that resuming makes up for a ``best.pth`` that a kill left behind. With averaged
    weights both hold the average under ``state_dict``, which is what validation measured.

    Args:
        interval: epochs between two writings of ``last.pth``; the last epoch is always written.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f"default_hooks.save.interval is {interval}, it must be at least 1")
        self.interval = interval

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Save what is due."""
        loop: TrainLoop = runner.train_loop
        is_best = best_epoch(loop.history) == loop.history[-1]["epoch"]
        ends = loop.epoch + 1 == loop.max_epochs or loop.stop_training
        if not (is_best or ends or (loop.epoch + 1) % self.interval == 0):
            return
        state = loop.state_dict()  # gathers from all processes
        if runner.rank == 0:
            folder = Path(runner.work_dir)
            checkpoint = runner.save_training(folder / LAST, state)
            if is_best:
                write_best(folder, checkpoint, loop.history[-1])
