"""Networks against each other: paired differences and the matrices of transfers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from rogseg.report.estimates import Estimate
from rogseg.report.figures.style import COLUMN, INK, PAGE, SOFT, colour, new_figure, save, styled

__all__ = ["plot_differences", "plot_transfer"]

SHORT_NAME = 10  # letters that fit below a column


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
    sources: Sequence[str],
    targets: Sequence[str],
    panels: Mapping[str, Sequence[Sequence[float | None]]],
    stem: Path,
    *,
    measure: str = "mean Dice",
) -> tuple[Path, Path]:
    """Matrices: the measure of the network of a column under volumes made on the network of a row.

    Args:
        sources: what volumes were made on.
        targets: the networks that were given them; one that is its own source is printed bold.
        panels: by what stands above it, such as the epsilon, a row of values per source; None where it was not tried.
        stem: path without suffix.
        measure: what the numbers are.
    """
    with styled():
        width, height = 0.62 * len(targets), 0.42 * len(sources)
        longest = max(map(len, sources))
        beside = min(len(panels), max(1, int((PAGE - 0.07 * longest) / (width + 0.25))))
        rows = -(-len(panels) // beside)
        figure = new_figure(
            min(PAGE, 0.5 + 0.07 * longest + beside * (width + 0.25)),
            rows * (height + 0.45) + 0.4 + (0.055 * name if (name := max(map(len, targets))) > SHORT_NAME else 0.1),
        )
        grid = figure.subplots(rows, beside, squeeze=False, sharex=True, sharey=True)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_visible(False)
        for axes, (title, values) in zip(grid.flat, panels.items(), strict=False):
            _draw_matrix(axes, sources, targets, values)
            axes.set_title(title, fontweight="normal", fontsize=7.5)
        for axes in grid[:, 0]:
            axes.set_ylabel("volumes made on")
        figure.supxlabel(f"attacked network ({measure})", fontsize=7.5)
        return save(figure, stem)


def _draw_matrix(
    axes: Axes, sources: Sequence[str], targets: Sequence[str], values: Sequence[Sequence[float | None]]
) -> None:
    table = np.array([[np.nan if value is None else value for value in row] for row in values])
    axes.imshow(np.ma.masked_invalid(table), cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, source in enumerate(sources):
        for column, target in enumerate(targets):
            value = table[row, column]
            text = "-" if np.isnan(value) else f"{value:.2f}"
            weight = "bold" if source == target else "normal"
            shade = "white" if not np.isnan(value) and value < 0.55 else INK
            axes.text(column, row, text, ha="center", va="center", color=shade, fontweight=weight, fontsize=7.5)
    # Slanted names would push panels apart.
    upright = max(map(len, targets)) > SHORT_NAME
    axes.set_xticks(range(len(targets)), targets, rotation=90 if upright else 0)
    axes.set_yticks(range(len(sources)), sources)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
