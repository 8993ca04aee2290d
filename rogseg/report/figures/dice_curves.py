"""A measure over epsilon or severity with intervals and case points: of systems, of attacks, of classes.

Source: the kind of figures 1 and 4 of Daza et al. 2021, with intervals and cases added; of `plot_attack_area` figure 3
(PGD against APGD).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from rogseg.evaluation.summary import area_under_curve
from rogseg.report.curves import Curve
from rogseg.report.figures.style import (
    COLUMN,
    INK,
    PAGE,
    colour,
    dashes,
    legend_above,
    marker,
    new_figure,
    save,
    styled,
)
from rogseg.report.svg.frame import dodged

__all__ = ["draw_curves", "plot_attack_area", "plot_curve_panels", "plot_curves"]


def plot_curves(
    curves: Sequence[Curve],
    stem: Path,
    *,
    y_label: str = "mean Dice",
    x_label: str = "epsilon [1/255 of the intensity range]",
    scale: float = 255.0,
) -> tuple[Path, Path]:
    """All curves in one chart, a column wide."""
    with styled():
        figure = new_figure(COLUMN, 2.6)
        axes = figure.add_subplot()
        draw_curves(axes, curves, scale)
        axes.set(xlabel=x_label, ylabel=y_label)
        legend_above(figure, axes)
        return save(figure, stem)


def plot_curve_panels(
    panels: Mapping[str, Sequence[Curve]],
    stem: Path,
    *,
    y_label: str = "mean Dice",
    x_label: str = "epsilon [1/255]",
    scale: float = 255.0,
) -> tuple[Path, Path]:
    """A chart per class (or per corruption) side by side on one scale, the legend once."""
    columns = min(len(panels), 3 if len(panels) != 4 else 2)
    rows = -(-len(panels) // columns)
    with styled():
        figure = new_figure(min(PAGE, 2.35 * columns + 0.3), 2.1 * rows + 0.3)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, (name, curves) in zip(grid.flat, panels.items(), strict=False):
            draw_curves(axes, curves, scale)
            axes.set_title(name)
        for axes in grid[:, 0]:
            axes.set_ylabel(y_label)
        for index in range(len(panels) - columns, len(panels)):
            grid.flat[index].set_xlabel(x_label)
            grid.flat[index].tick_params(labelbottom=True)
        legend_above(figure, grid.flat[0])
        return save(figure, stem)


def draw_curves(axes: Axes, curves: Sequence[Curve], scale: float) -> None:
    """Lines with bars, and the points of the cases where there is a single curve."""
    strengths = sorted({point.strength * scale for curve in curves for point in curve.points})
    for index, curve in enumerate(curves):
        known = [point for point in curve.points if point.estimate.value is not None]
        shift = (index - (len(curves) - 1) / 2) * max(strengths, default=1.0) * 0.008
        xs = [point.strength * scale + (shift if point.strength else 0.0) for point in known]
        ys = [point.estimate.value or 0.0 for point in known]
        is_worst = curve.name == "worst case" and len(curves) > 1
        shade = INK if is_worst else colour(index)
        axes.plot(xs, ys, color=shade, linestyle=dashes(index), linewidth=1.8 if is_worst else 1.4, zorder=3)
        axes.plot(xs, ys, color=shade, linestyle="", marker=marker(index), markerfacecolor="white", zorder=4)
        axes.plot([], [], color=shade, linestyle=dashes(index), marker=marker(index), mfc="white", label=curve.title)
        bars = [(x, p.estimate.lower, p.estimate.upper) for x, p in zip(xs, known, strict=True)]
        for x, lower, upper in bars:
            if lower is not None and upper is not None:
                axes.plot([x, x], [lower, upper], color=shade, linewidth=0.9, zorder=2)
        if len(curves) == 1:
            _draw_cases(axes, curve, scale, shade)
    axes.set_ylim(0, 1)
    axes.set_xlim(-0.02 * max(strengths, default=1.0), 1.05 * max(strengths, default=1.0))
    axes.set_xticks(_apart(strengths), [f"{value:.3g}" for value in _apart(strengths)])


def _draw_cases(axes: Axes, curve: Curve, scale: float, shade: str) -> None:
    largest = max(point.strength for point in curve.points) * scale or 1.0
    for point in curve.points:
        values = [value for _, value in point.cases]
        # Dodged in units of a chart of 200 points' height, then to data units of x.
        shifts = dodged(values, lambda value: value * 130, radius=1.4, widest=7)
        sides = [abs(s) if point.strength == 0 else s for s in shifts]
        xs = [point.strength * scale + side * largest / 190 for side in sides]
        axes.scatter(xs, values, s=4, color=shade, alpha=0.4, linewidths=0, zorder=1)


def _apart(strengths: Sequence[float]) -> list[float]:
    largest, kept = max(strengths, default=1.0) or 1.0, list[float]()
    for strength in reversed(strengths):
        # A letter takes a fiftieth of a column; half of both labels have to fit, and a gap.
        needed = 0.0 if not kept else 0.01 + 0.0105 * (len(f"{strength:.3g}") + len(f"{kept[-1]:.3g}"))
        if not kept or (kept[-1] - strength) / largest > max(0.055, needed):
            kept.append(strength)
    return sorted(kept)


def plot_attack_area(
    curves: Sequence[Curve],
    stem: Path,
    *,
    y_label: str = "mean Dice",
    x_label: str = "epsilon [1/255 of the intensity range]",
    scale: float = 255.0,
) -> tuple[Path, Path]:
    """Curves with the area under each, written in the legend; the strongest attack, of the smallest area, in front.

    All are of the same cases and strengths, else their areas would not compare.

    The area is divided by the range of epsilon, so that 1 is a network that nothing hurts.

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
        legend_above(figure, axes)
        return save(figure, stem)
