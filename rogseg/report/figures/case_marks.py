"""Figures with a mark per case: before and after, over the size of the target, and the smallest epsilon that fools."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.ticker import FuncFormatter, NullLocator

from rogseg.cases import worded_cases
from rogseg.report.figures.style import (
    COLUMN,
    INK,
    SOFT,
    colour,
    dashes,
    legend_above,
    marker,
    new_figure,
    save,
    styled,
)
from rogseg.report.svg.cases import CasePair
from rogseg.report.svg.frame import log_steps

__all__ = ["plot_case_pairs", "plot_size", "plot_smallest_epsilon"]

FELL = "#b3261e"


def plot_case_pairs(pairs: Sequence[CasePair], label: str, stem: Path, *, measure: str = "Dice") -> tuple[Path, Path]:
    """A bar per case from the clean value to the attacked one, the worst on the left; cases that fell are red."""
    ordered = sorted(pairs, key=lambda pair: (pair[2], pair[0]))
    with styled():
        figure = new_figure(COLUMN, 2.4)
        axes = figure.add_subplot()
        size = 18.0 if len(ordered) <= 30 else 9.0
        for index, (_, clean, attacked, fell) in enumerate(ordered):
            shade = FELL if fell else SOFT
            axes.plot([index, index], [clean, attacked], color=shade, linewidth=0.8, alpha=0.6, zorder=1)
            axes.scatter(index, clean, s=size, facecolor="white", edgecolor=shade, linewidths=0.9, zorder=2)
            axes.scatter(index, attacked, s=size, color=shade, marker="v" if fell else "o", linewidths=0, zorder=2)
        axes.scatter([], [], s=18, facecolor="white", edgecolor=SOFT, label="clean")
        axes.scatter([], [], s=18, color=SOFT, label=f"at {label}")
        if any(fell for *_, fell in ordered):
            axes.scatter([], [], s=18, color=FELL, marker="v", label=f"at {label}, fell")
        axes.set(
            ylim=(-0.02, 1), xticks=[], xlabel=f"{worded_cases(len(ordered))}, the worst on the left", ylabel=measure
        )
        legend_above(figure, axes)
        return save(figure, stem)


def plot_size(
    points: Mapping[str, Sequence[tuple[float, float]]], label: str, stem: Path, *, measure: str = "Dice"
) -> tuple[Path, Path]:
    """The attacked value over the size of the target.

    Args:
        points: by class, size [ml] above 0 and value of each case.
        label: the epsilon as it is written.
        stem: path without suffix.
        measure: name of the axis.
    """
    with styled():
        figure = new_figure(COLUMN, 2.5)
        axes = figure.add_subplot()
        for index, (name, of_class) in enumerate(points.items()):
            sizes, values = zip(*of_class, strict=True)
            axes.scatter(
                sizes, values, s=14, marker=marker(index), color=colour(index + 2), alpha=0.7, linewidths=0, label=name
            )
        axes.set_xscale("log")
        low, high = (math.log10(size) for size in axes.get_xlim())
        ticks = log_steps(low, high)
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(ylim=(0, 1), xlabel="size of the target [ml]", ylabel=f"{measure} at {label}")
        legend_above(figure, axes)
        return save(figure, stem)


def plot_smallest_epsilon(
    systems: Mapping[str, Sequence[tuple[float, float]]],
    cases: str,
    stem: Path,
    *,
    x_label: str = "epsilon [1/255]",
) -> tuple[Path, Path]:
    """Share of the cases that had fallen by each epsilon, as steps.

    Args:
        systems: by system, epsilons on the axis, ascending, and the share of the cases that had fallen.
        cases: how many there are of each system on which an attack could succeed, such as ``12`` or ``11 to 12``.
        stem: path without suffix.
        x_label: of the axis.
    """
    with styled():
        figure = new_figure(COLUMN, 2.4)
        axes = figure.add_subplot()
        for index, (name, points) in enumerate(systems.items()):
            xs = [0.0, *(x for x, _ in points)]
            ys = [0.0, *(share for _, share in points)]
            axes.plot(
                xs, ys, drawstyle="steps-post", color=colour(index), linestyle=dashes(index), marker=marker(index),
                markerfacecolor="white", label=name, clip_on=False, zorder=3,
            )  # fmt: skip
        ticks = sorted({x for points in systems.values() for x, _ in points})
        axes.set_xticks([0.0, *ticks], ["0", *(f"{tick:.3g}" for tick in ticks)])
        axes.set(ylim=(0, 1), xlabel=x_label, ylabel=f"share of {cases} cases that fell")
        axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.spines["bottom"].set_color(INK)
        legend_above(figure, axes)
        return save(figure, stem)
