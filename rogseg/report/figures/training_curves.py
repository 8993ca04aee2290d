"""Training curves: losses and validation over whole epochs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from rogseg.report.figures.style import COLUMN, colour, dashes, new_figure, save, styled

__all__ = ["plot_training"]


def plot_training(
    losses: Mapping[str, Sequence[tuple[int, float]]], scores: Mapping[str, Sequence[tuple[int, float]]], stem: Path
) -> tuple[Path, Path]:
    """Losses above, scores between 0 and 1 below, on one axis of epochs.

    Args:
        losses: by name, epoch (counted from 1) and value.
        scores: by name, epoch and value, such as clean and robust validation Dice.
        stem: path without suffix.
    """
    parts = [(of_kind, label) for of_kind, label in ((losses, "loss"), (scores, "Dice")) if of_kind]
    with styled():
        figure = new_figure(COLUMN, 0.5 + 1.45 * len(parts))
        panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (of_kind, label) in zip(panels, parts, strict=True):
            for index, (name, points) in enumerate(of_kind.items()):
                epochs, values = zip(*points, strict=True)
                lone = "o" if len(points) < 12 else None
                axes.plot(
                    epochs, values, color=colour(index), linestyle=dashes(index), marker=lone, markersize=3, label=name
                )
            axes.set_ylabel(label)
            axes.legend(loc="best", handlelength=2.6)
            if label == "Dice":
                axes.set_ylim(0, 1)
        # An epoch is whole; half of one is no place for a tick.
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panels[-1].set_xlabel("epoch")
        return save(figure, stem)
