"""Curves of a measure over epsilon or severity, with intervals and the dots of the cases."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from rogseg.cases import worded_cases
from rogseg.report.curves import Curve, CurvePoint
from rogseg.report.svg.frame import Frame, Size, add, dodged, text_of

__all__ = ["BROAD_SIZES", "HALF_SIZES", "LINES", "TALL_SIZES", "curve_chart"]

BROAD_SIZES = (Size(940, 360, "wide"), Size(344, 300, "narrow"))
TALL_SIZES = (Size(565, 512, "wide"), Size(344, 320, "narrow"))
HALF_SIZES = (Size(440, 290, "wide"), Size(344, 270, "narrow"))
LINES = 8
"""Colours that the style sheet knows, from ``s1`` on; ``s0`` is ink."""

MOST_DOTS = 60


def curve_chart(
    curves: Sequence[Curve],
    *,
    title: str,
    x_label: str,
    y_label: str,
    scale: float,
    sizes: Sequence[Size] = BROAD_SIZES,
    with_cases: bool = True,
    first_colour: int = 1,
) -> str:
    """The same curves at each of the sizes.

    Args:
        curves: a line each.
        title: for those who do not see the chart.
        x_label: of the axis.
        y_label: of the axis.
        scale: by which strengths are multiplied on the axis, 255 for epsilons.
        sizes: of which the style sheet shows one.
        with_cases: whether a dot stands for each case; only of a single curve, more would be a fog.
        first_colour: of the first curve; 0 is ink.
    """
    return "".join(_chart(curves, size, title, x_label, y_label, scale, with_cases, first_colour) for size in sizes)


def _chart(
    curves: Sequence[Curve],
    size: Size,
    title: str,
    x_label: str,
    y_label: str,
    scale: float,
    with_cases: bool,
    first_colour: int,
) -> str:
    strengths = sorted({point.strength * scale for curve in curves for point in curve.points})
    largest = strengths[-1] if strengths else 1.0
    frame = Frame(
        size,
        (0.0, largest * 1.05),
        (0.0, 1.0),
        _ticks(strengths, size),
        [(value / 5, f"{value / 5:.1f}") for value in range(6)],
        x_label,
        y_label,
        title,
    )
    if with_cases and len(curves) == 1:
        dots = add(frame.root, "g", class_=f"dots s{first_colour}")
        for point in curves[0].points:
            _dots(frame, dots, point, scale)
    for index, curve in enumerate(curves):
        colour = 0 if curve.name == "worst case" and len(curves) > 1 else (first_colour + index - 1) % LINES + 1
        if first_colour == 0 and len(curves) == 1:
            colour = 0
        _line(frame, curve, scale, colour, shift=(index - (len(curves) - 1) / 2) * 3.0)
    return text_of(frame.root)


def _line(frame: Frame, curve: Curve, scale: float, colour: int, *, shift: float) -> None:
    group = add(frame.root, "g", class_=f"series s{colour}", data_series=curve.title)
    known = [point for point in curve.points if point.estimate.value is not None]
    band = [(p.strength * scale, p.estimate.lower, p.estimate.upper) for p in known]
    bounded = [(x, low, high) for x, low, high in band if low is not None and high is not None]
    if len(bounded) > 1:
        outline = [(x, high) for x, _, high in bounded] + [(x, low) for x, low, _ in reversed(bounded)]
        add(group, "path", class_="band", d=frame.path(outline) + "Z")
    line = [(p.strength * scale, p.estimate.value) for p in known if p.estimate.value is not None]
    if len(line) > 1:
        add(group, "path", class_="line", d=frame.path(line))
    for point in known:
        if point.estimate.value is None:
            continue
        # Intervals of several curves at one epsilon stand side by side.
        x = frame.x(point.strength * scale) + (shift if point.strength else 0.0)
        if point.estimate.lower is not None and point.estimate.upper is not None:
            ends = {"y1": frame.y(point.estimate.lower), "y2": frame.y(point.estimate.upper)}
            add(group, "line", class_="whisker", x1=x, x2=x, **ends)
        tip = f"{curve.title}, {point.label}|{point.estimate.text()}|{worded_cases(point.estimate.cases)}"
        add(group, "circle", class_="point", cx=x, cy=frame.y(point.estimate.value), r=4, data_tip=tip)


def _dots(frame: Frame, group: Element, point: CurvePoint, scale: float) -> None:
    cases = point.cases[:: max(1, -(-len(point.cases) // MOST_DOTS))]
    x = frame.x(point.strength * scale)
    for (case_id, value), shift in zip(cases, dodged([v for _, v in cases], frame.y), strict=True):
        # The clean cases stand on the axis: their dots go to the right of it only.
        side = abs(shift) if point.strength == 0 else shift
        tip = f"{case_id}|{point.label}|{value:.3f}"
        add(group, "circle", class_="dot", cx=x + side, cy=frame.y(value), r=2.2, data_tip=tip)


def _ticks(strengths: Sequence[float], size: Size) -> list[tuple[float, str]]:
    """The tested strengths, of which those whose label would touch the next one's are left out."""
    room = 34.0 if size.is_narrow else 40.0
    largest = strengths[-1] if strengths and strengths[-1] else 1.0
    pixels = (size.width - 60) / largest
    kept: list[tuple[float, str]] = []
    for strength in reversed(strengths):
        label = f"{strength:.3g}"
        if kept:
            # Half of both labels, and a gap.
            words = (len(label) + len(kept[-1][1])) * 3.4 + 4
            if (kept[-1][0] - strength) * pixels < max(room * 0.55, words):
                continue
        kept.append((strength, label))
    return kept[::-1]
