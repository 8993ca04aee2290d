"""Attacks against each other by the area under Dice over epsilon.

Source: the kind of figure 3 of Daza et al. 2021 (PGD against APGD); a smaller area is a stronger attack. The area is
divided by the range of epsilon, so that 1 is a network that nothing hurts.
"""

from collections.abc import Sequence
from pathlib import Path

from rogseg.evaluation.summary import area_under_curve
from rogseg.report.figures.style import COLUMN, colour, dashes, marker, new_figure, save, styled
from rogseg.report.summaries import Curve

__all__ = ["plot_attack_area"]


def plot_attack_area(
    curves: Sequence[Curve],
    stem: Path,
    *,
    y_label: str = "mean Dice",
    x_label: str = "epsilon [1/255 of the intensity range]",
    scale: float = 255.0,
) -> tuple[Path, Path]:
    """Curves with the area under each, written in the legend; the strongest attack in front.

    Raises:
        ValueError: a curve has fewer than two points.
    """
    areas = {}
    for curve in curves:
        points = [(p.strength, p.estimate.value) for p in curve.points if p.estimate.value is not None]
        areas[curve.name] = area_under_curve([x for x, _ in points], [y for _, y in points])
    with styled():
        figure = new_figure(COLUMN, 2.6)
        axes = figure.add_subplot()
        ordered = sorted(enumerate(curves), key=lambda pair: -areas[pair[1].name])
        for index, curve in ordered:
            known = [point for point in curve.points if point.estimate.value is not None]
            xs = [point.strength * scale for point in known]
            ys = [point.estimate.value or 0.0 for point in known]
            axes.fill_between(xs, ys, color=colour(index), alpha=0.13, linewidth=0)
            label = f"{curve.name}, area {areas[curve.name]:.3f}"
            axes.plot(
                xs, ys, color=colour(index), linestyle=dashes(index), marker=marker(index), markerfacecolor="white",
                label=label,
            )  # fmt: skip
        axes.set(xlabel=x_label, ylabel=y_label, ylim=(0, 1))
        axes.set_xlim(left=0)
        axes.legend(loc="best", handlelength=2.6)
        return save(figure, stem)
