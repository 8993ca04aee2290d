"""The one style of all figures: sizes of a printed column, type that stays readable there, colours and markers.

Lines differ in colour, marker and dash, so that a figure survives grey print and colour-blind eyes. The same data give
the same bytes: no date and no random ids are written.
"""

import math
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rogseg.evaluation.saved_figure import save_figure
from rogseg.report.palette import LINE_COLOURS

__all__ = [
    "COLUMN",
    "INK",
    "PAGE",
    "RULE",
    "SOFT",
    "colour",
    "dashes",
    "legend_above",
    "marker",
    "new_figure",
    "save",
    "styled",
]

COLUMN, PAGE = 3.4, 7.0
"""Widths of one column and of a page [inches]."""
INK, SOFT, RULE = "#1d2125", "#5f666d", "#d9d9d9"

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "svg.fonttype": "none",
    "svg.hashsalt": "rogseg",
    "image.interpolation": "nearest",
}
MARKERS = "osD^vPX*"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1, 1.5)))


def colour(index: int) -> str:
    """Of the line with this number, counted from 0."""
    return LINE_COLOURS[index % len(LINE_COLOURS)]


def marker(index: int) -> str:
    """Of the line with this number."""
    return MARKERS[index % len(MARKERS)]


def dashes(index: int) -> Any:
    """Of the line with this number."""
    return DASHES[index % len(DASHES)]


def styled() -> Any:
    """The style as a context; figures are made and saved inside."""
    return rc_context(STYLE)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure [inches] that makes room for its labels by itself."""
    return Figure(figsize=(width, height), layout="constrained")


def legend_above(figure: Figure, axes: Axes) -> None:
    """The names of the axes' lines above all axes, where no line runs through them; nothing for a single one.

    As many stand in a row as fit, and the figure grows by the rows.
    """
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return
    width, height = figure.get_size_inches()
    entry = 0.45 + 0.06 * max(len(label) for label in labels)  # [inches]: the line, and letters of 7 points
    columns = min(len(labels), max(1, int(width / entry)))
    figure.set_size_inches(width, height + 0.15 * math.ceil(len(labels) / columns))
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, handlelength=2.6, columnspacing=1.2)


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write ``stem.png`` at 300 dots per inch and ``stem.svg``.

    Returns:
        Both paths.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = stem.parent / f"{stem.name}.png", stem.parent / f"{stem.name}.svg"
    save_figure(figure, png, dpi=300, metadata={"Software": None})
    save_figure(figure, svg, metadata={"Date": None, "Creator": None})
    return png, svg
