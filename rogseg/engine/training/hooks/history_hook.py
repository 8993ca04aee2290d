"""HistoryHook: the epochs' records as JSON lines, as curves and in the visualizer."""

import io
import json
import time
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.hooks import Hook

from rogseg.engine.training.train_loop import TrainLoop
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS
from rogseg.storage import write_bytes_atomic

__all__ = ["HistoryHook", "draw_curves"]

Records = list[dict[str, float]]


@HOOKS.register_module()
class HistoryHook(Hook):
    """Writes ``history.jsonl`` and ``curves.png`` into the work directory, and scalars to the visualizer.

    Args:
        seconds_between_curves: the figure is drawn again at the end and at most so often [s].
    """

    priority = "BELOW_NORMAL"

    def __init__(self, seconds_between_curves: float = 20.0) -> None:
        self.seconds_between_curves = seconds_between_curves
        self.drawn = time.monotonic()

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Record the epoch."""
        loop: TrainLoop = runner.train_loop
        if runner.rank == 0:
            record = loop.history[-1]
            runner.visualizer.add_scalars(dict(record), step=int(record["iter"]))
            lines = "".join(json.dumps(entry) + "\n" for entry in loop.history)
            write_bytes_atomic(Path(runner.work_dir) / "history.jsonl", lines.encode())
            if time.monotonic() - self.drawn > self.seconds_between_curves:
                self._draw(runner)

    def after_train(self, runner: TrainingRunner) -> None:
        """Draw the final curves."""
        if runner.rank == 0 and runner.train_loop.history:
            self._draw(runner)

    def _draw(self, runner: TrainingRunner) -> None:
        write_bytes_atomic(Path(runner.work_dir) / "curves.png", draw_curves(runner.train_loop.history))
        self.drawn = time.monotonic()


def draw_curves(history: Records) -> bytes:
    """Losses, Dice and learning rate by epoch, as the bytes of a PNG."""
    panels = [
        ("loss", ["loss", "val_loss", "clean_loss", "adversarial_loss", "robust_loss"]),
        ("Dice", sorted({key for entry in history for key in entry if key.startswith(("dice", "robust_dice"))})),
        ("learning rate", ["lr"]),
    ]
    figure = Figure(figsize=(13, 4))
    figure.subplots_adjust(left=0.05, right=0.98, bottom=0.15, wspace=0.2)
    for axes, (title, keys) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for key in keys:
            points = [(entry["epoch"], entry[key]) for entry in history if key in entry]
            if points:
                axes.plot(*zip(*points, strict=True), label=key, marker="." if len(points) < 30 else None)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small")
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()
