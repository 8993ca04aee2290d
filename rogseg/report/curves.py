"""Curves over epsilon or severity: a measure at each strength, of the same cases at each."""

import dataclasses
from collections.abc import Sequence

from rogseg.report.contents import MeasureText
from rogseg.report.estimates import Estimate, mean_over_cases
from rogseg.report.rows import Row
from rogseg.report.summaries import values_of

__all__ = ["Curve", "CurvePoint", "curves_of", "of_same_strengths"]


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """A strength, the estimate there, and the value of each case."""

    strength: float
    label: str
    estimate: Estimate
    cases: tuple[tuple[str, float], ...]
    origin: str


@dataclasses.dataclass(frozen=True)
class Curve:
    """A measure over strength, from the clean value at 0 on.

    Args:
        name: of the attack, the corruption, the network or the class.
        points: ascending in strength, all over the same cases.
        num_cases: that each point is over, whether the measure says something of them or not.
        num_left_out: cases that are no part of it, since some point lacks them or their value: a member of a cascade
            meets those that still stand, and an evaluation may be unfinished.
    """

    name: str
    points: tuple[CurvePoint, ...]
    num_cases: int = 0
    num_left_out: int = 0

    @property
    def title(self) -> str:
        """The name, and how many cases it is over where these are not all."""
        if not self.num_left_out:
            return self.name
        return f"{self.name}, {self.num_cases} of {self.num_cases + self.num_left_out} cases"


def curves_of(
    clean: Row | None, rows: Sequence[Row], measure: MeasureText, index: int | None = None
) -> tuple[Curve, ...]:
    """One curve per attack (or corruption) of the rows, each beginning at the clean row.

    Each is over the cases that all of its points have; one whose points have none in common is left out. A case that
    has a value at some points alone is none of these: a class that it lacks has a Dice of 0 from where it is found on.
    """
    start = () if clean is None else (clean,)
    everything = {case.case_id for row in (*start, *rows) for case in row.cases}
    curves = []
    for name in dict.fromkeys(row.condition.name for row in rows):
        of_name = sorted((r for r in rows if r.condition.name == name), key=lambda row: row.condition.strength)
        points = (*start, *of_name)
        shared = set.intersection(*({case.case_id for case in row.cases} for row in points))
        valued = [_valued(row, measure, index) for row in points]
        shared -= set[str]().union(*valued) - valued[0].intersection(*valued)
        if shared:
            made = tuple(_point(row, shared, measure, index) for row in points)
            curves.append(Curve(name, made, len(shared), len(everything - shared)))
    return tuple(curves)


def of_same_strengths(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """The most curves that have values at the same strengths, two at least: areas of others do not compare.

    Of several groups as large the one of the most strengths, then the first.
    """
    groups: dict[tuple[float, ...], list[Curve]] = {}
    for curve in curves:
        known = tuple(point.strength for point in curve.points if point.estimate.value is not None)
        if len(known) > 1:
            groups.setdefault(known, []).append(curve)
    return tuple(max(groups.items(), key=lambda group: (len(group[1]), len(group[0])), default=((), []))[1])


def _valued(row: Row, measure: MeasureText, index: int | None) -> set[str]:
    values = values_of(row, measure, index)
    return {case.case_id for case, value in zip(row.cases, values, strict=True) if value is not None}


def _point(row: Row, case_ids: set[str], measure: MeasureText, index: int | None) -> CurvePoint:
    row = row.of_cases(case_ids)
    values = values_of(row, measure, index)
    present = tuple((c.case_id, v) for c, v in zip(row.cases, values, strict=True) if v is not None)
    label = row.condition.label or "clean"
    return CurvePoint(row.condition.strength, label, mean_over_cases(values, measure.bounds), present, row.origin)
