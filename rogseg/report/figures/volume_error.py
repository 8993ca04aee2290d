"""How far the measured volume of an organ or lesion is off: what a physician would read from the segmentation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rogseg.report.figures.style import INK, PAGE, SOFT, colour, new_figure, save, styled
from rogseg.report.svg.frame import dodged

__all__ = ["plot_volume_error"]


def plot_volume_error(
    classes: Mapping[str, Mapping[str, Sequence[float]]], stem: Path, *, y_label: str, limit: float | None = None
) -> tuple[Path, Path]:
    """A panel per class, a column of dots per condition with median and quartiles.

    Args:
        classes: by class, the errors of the cases under each condition.
        stem: path without suffix.
        y_label: of the axis, with the unit.
        limit: largest error that is drawn; beyond it dots stand on the edge. None is the largest there is.
    """
    everything = [abs(v) for of_class in classes.values() for values in of_class.values() for v in values]
    top = limit or max(everything, default=1.0) * 1.08
    with styled():
        figure = new_figure(min(PAGE, 0.6 + 2.6 * len(classes)), 2.4)
        panels = figure.subplots(1, len(classes), sharey=True, squeeze=False)[0]
        for number, (axes, (name, conditions)) in enumerate(zip(panels, classes.items(), strict=True)):
            for index, values in enumerate(conditions.values()):
                shown = np.clip(values, -top, top).tolist()
                shifts = dodged(shown, lambda value: value / top * 70, radius=1.6, widest=9)
                xs = [index + shift / 34 for shift in shifts]
                axes.scatter(xs, shown, s=6, color=colour(number + 2), alpha=0.55, linewidths=0)
                if len(values):
                    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
                    axes.plot([index - 0.3, index + 0.3], [middle, middle], color=INK, linewidth=1.6)
                    axes.plot([index, index], [low, high], color=INK, linewidth=0.9)
            axes.axhline(0, color=SOFT, linewidth=0.8)
            axes.set_xticks(range(len(conditions)), list(conditions))
            axes.set_title(name)
            axes.set_ylim(-top if min((min(v, default=0) for v in conditions.values()), default=0) < 0 else 0, top)
            axes.grid(visible=False, axis="x")
        panels[0].set_ylabel(y_label)
        return save(figure, stem)
