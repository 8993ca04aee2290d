"""Charts with a mark per case: before and after, against the size of the target, and how many fell by which epsilon."""

import math
from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.report.palette import line_of_class
from rogseg.report.svg.frame import Frame, Size, add, log_steps, text_of

__all__ = ["PAIRS", "PAIRS_BESIDE", "CasePair", "fooling_chart", "pairs_chart", "size_chart"]

PAIRS = (Size(920, 300, "wide"), Size(344, 280, "narrow"))
PAIRS_BESIDE = (Size(565, 290, "wide"), Size(344, 280, "narrow"))
HALF = (Size(440, 300, "wide"), Size(344, 270, "narrow"))
FIFTHS = [(value / 5, f"{value / 5:.1f}") for value in range(6)]

CasePair = tuple[str, float, float, bool | None]
"""Case, clean value, attacked value, whether it fell."""


def pairs_chart(pairs: Sequence[CasePair], *, title: str, y_label: str, sizes: Sequence[Size] = PAIRS) -> str:
    """A bar from the clean value to the attacked one for each case, the worst on the left."""
    ordered = sorted(pairs, key=lambda pair: (pair[2], pair[0]))
    charts = []
    for size in sizes:
        x_range = (-0.7, len(ordered) - 0.3)
        label = f"{worded_cases(len(ordered))}, the worst on the left"
        frame = Frame(size, x_range, (0.0, 1.0), [], FIFTHS, label, y_label, title)
        room = (size.width - frame.left - frame.right) / max(1, len(ordered))
        radius = max(1.4, min(4.0, room * 0.32))
        for index, (case_id, clean, attacked, fell) in enumerate(ordered):
            state = "not said to fall or stand" if fell is None else "fell" if fell else "stands"
            tip = f"{case_id}|{clean:.3f} clean, {attacked:.3f} attacked|{state}"
            group = add(frame.root, "g", class_="pair fell" if fell else "pair")
            x = frame.x(float(index))
            add(group, "line", x1=x, x2=x, y1=frame.y(clean), y2=frame.y(attacked))
            add(group, "circle", class_="before", cx=x, cy=frame.y(clean), r=radius, data_tip=tip)
            add(group, "circle", class_="after", cx=x, cy=frame.y(attacked), r=radius, data_tip=tip)
        charts.append(text_of(frame.root))
    return "".join(charts)


def size_chart(
    points: Sequence[tuple[str, str, float, float]], names: Sequence[str], *, title: str, y_label: str
) -> str:
    """A dot per case and class: value under attack over the size of the target [ml], on a logarithmic axis.

    Args:
        points: case, class, size [ml] above 0, value.
        names: of all classes, in the order of their colours.
        title: for those who do not see the chart.
        y_label: of the axis.
    """
    logs = [math.log10(size) for _, _, size, _ in points]
    low, high = min(logs) - 0.05, max(logs) + 0.05
    charts = []
    for size in HALF:
        frame = Frame(
            size, (low, high), (0.0, 1.0), _log_ticks(low, high), FIFTHS, "size of the target [ml]", y_label, title
        )
        for case_id, name, millilitres, value in points:
            tip = f"{case_id}, {name}|{value:.3f}|{millilitres:.3g} ml"
            x, y = frame.x(math.log10(millilitres)), frame.y(value)
            add(
                frame.root,
                "circle",
                class_=f"dot strong s{line_of_class(names.index(name))}",
                cx=x,
                cy=y,
                r=3.2,
                data_tip=tip,
            )
        charts.append(text_of(frame.root))
    return "".join(charts)


def fooling_chart(curves: Sequence[tuple[str, Sequence[tuple[float, str, float]]]], *, title: str, x_label: str) -> str:
    """Steps: the share of cases that had fallen by each epsilon.

    Args:
        curves: name, and points of epsilon on the axis, its label and the share.
        title: for those who do not see the chart.
        x_label: of the axis.
    """
    largest = max(x for _, points in curves for x, _, _ in points)
    labels = dict(sorted({x: f"{x:.3g}" for _, points in curves for x, _, _ in points}.items()))
    charts = []
    for size in HALF:
        ticks = [(0.0, "0"), *labels.items()]
        percents = [(value / 4, f"{value * 25}%") for value in range(5)]
        frame = Frame(
            size,
            (0.0, largest * 1.03),
            (0.0, 1.0),
            _apart(ticks, largest, size),
            percents,
            x_label,
            "cases that fell",
            title,
            left=46,
        )
        for index, (name, points) in enumerate(curves):
            group = add(frame.root, "g", class_=f"series s{index + 1}", data_series=name)
            corners = [(0.0, 0.0)]
            for x, _, share in points:
                corners += [(x, corners[-1][1]), (x, share)]
            add(group, "path", class_="line", d=frame.path(corners))
            for x, label, share in points:
                tip = f"{name}|{share:.0%} fell by {label}"
                add(group, "circle", class_="point", cx=frame.x(x), cy=frame.y(share), r=4, data_tip=tip)
        charts.append(text_of(frame.root))
    return "".join(charts)


def _log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    return [(math.log10(value), f"{value:g}") for value in log_steps(low, high)]


def _apart(ticks: Sequence[tuple[float, str]], largest: float, size: Size) -> list[tuple[float, str]]:
    """The ticks that have room, the largest first."""
    kept: list[tuple[float, str]] = []
    for value, label in reversed(ticks):
        if not kept or (kept[-1][0] - value) / largest * (size.width - 60) >= 20:
            kept.append((value, label))
    return kept
