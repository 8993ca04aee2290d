"""A chart with caption and legend, a row of the table of results, and what curves of a page have in common."""

import dataclasses
from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.curves import Curve
from rogseg.report.estimates import Estimate
from rogseg.report.rows import Row
from rogseg.report.summaries import class_estimates, estimate_of, fell_of

__all__ = ["Figure", "TableRow", "curve_caption", "legend_of", "renamed", "table_rows"]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart with its caption and the names in its legend, each with the number of its colour."""

    svg: str
    title: str
    caption: str
    legend: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A row of the table of results."""

    row: Row
    mean: Estimate
    classes: tuple[Estimate, ...]
    fell: Estimate


def table_rows(contents: Contents, rows: Sequence[Row], kinds: Sequence[str]) -> tuple[TableRow, ...]:
    """Those of the rows that are of some kinds, with their estimates."""
    measure, count = contents.primary, len(contents.classes)
    return tuple(
        TableRow(row, estimate_of(row, measure), class_estimates(row, measure, count), fell_of(row))
        for row in rows
        if row.condition.kind in kinds
    )


def curve_caption(curves: Sequence[Curve]) -> str:
    """What bars, bands and dots mean."""
    dots = " Each small dot is a case." if len(curves) == 1 else ""
    has_intervals = any(point.estimate.has_interval for curve in curves for point in curve.points)
    bars = "bars and bands are 95% intervals" if has_intervals else "too few of them for intervals"
    partly = any(curve.num_left_out for curve in curves)
    over = " A line that says of how many cases it is, is over those that all of its points have." if partly else ""
    return f"Mean over the cases; {bars}.{dots}{over}"


def legend_of(curves: Sequence[Curve]) -> tuple[tuple[str, int], ...]:
    """Names and numbers of colours; the worst case over several attacks is drawn in ink."""
    several = len(curves) > 1
    return tuple((c.title, 0 if several and c.name == "worst case" else i + 1) for i, c in enumerate(curves))


def renamed(row: Row, name: str) -> Row:
    """The row under another name, for curves that are named by network or class."""
    return dataclasses.replace(row, condition=dataclasses.replace(row.condition, name=name))
