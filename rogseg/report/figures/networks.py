"""Networks against each other: paired differences and the transfer matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rogseg.report.estimates import Estimate
from rogseg.report.figures.style import COLUMN, INK, PAGE, SOFT, colour, new_figure, save, styled

__all__ = ["plot_differences", "plot_transfer"]


def plot_differences(
    differences: Sequence[tuple[str, Estimate]], stem: Path, *, x_label: str = "difference of Dice on the same cases"
) -> tuple[Path, Path]:
    """A line per comparison: the mean difference and its interval, beside a line at no difference.

    Args:
        differences: what is compared, and second minus first.
        stem: path without suffix.
        x_label: of the axis; says which way is better.
    """
    known = [(name, estimate) for name, estimate in differences if estimate.value is not None]
    with styled():
        # Long names take a page; in a column they would leave no room for the lines.
        width = COLUMN if max((len(name) for name, _ in known), default=0) <= 16 else PAGE
        figure = new_figure(width, 0.6 + 0.2 * len(known))
        axes = figure.add_subplot()
        axes.axvline(0, color=SOFT, linewidth=0.8)
        for index, (_, estimate) in enumerate(known):
            assert estimate.value is not None
            if estimate.lower is not None and estimate.upper is not None:
                axes.plot([estimate.lower, estimate.upper], [index, index], color=colour(0), linewidth=1.6)
            axes.scatter(estimate.value, index, s=20, color=colour(0), zorder=3)
            axes.text(
                1.02, index, estimate.text(sign=True), transform=axes.get_yaxis_transform(), va="center", fontsize=6.5
            )
        axes.set_yticks(range(len(known)), [name for name, _ in known])
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.margins(x=0.12)
        axes.set_xlabel(x_label)
        axes.grid(visible=False, axis="y")
        return save(figure, stem)


def plot_transfer(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    label: str,
    stem: Path,
    *,
    measure: str = "mean Dice",
) -> tuple[Path, Path]:
    """A matrix: the measure of the network of a column under volumes made on the network of a row.

    Args:
        names: of the networks.
        values: a row per source; None where it was not tried.
        label: the epsilon as it is written.
        stem: path without suffix.
        measure: what the numbers are.
    """
    table = np.array([[np.nan if value is None else value for value in row] for row in values])
    with styled():
        side = max(1.6, 0.55 * len(names))
        figure = new_figure(min(7.0, side + 1.5), side + 0.9)
        axes = figure.add_subplot()
        axes.imshow(np.ma.masked_invalid(table), cmap="cividis", vmin=0, vmax=1, aspect="equal")
        for row in range(len(names)):
            for column in range(len(names)):
                value = table[row, column]
                text = "-" if np.isnan(value) else f"{value:.2f}"
                dark = not np.isnan(value) and value < 0.55
                weight = "bold" if row == column else "normal"
                shade = "white" if dark else INK
                axes.text(column, row, text, ha="center", va="center", color=shade, fontweight=weight, fontsize=7.5)
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="attacked network", ylabel="volumes made on")
        axes.set_title(f"{measure} at {label}", fontweight="normal", fontsize=7.5)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return save(figure, stem)
