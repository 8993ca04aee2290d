"""From the values of cases to what pages, tables and figures say: means, worst cases, smallest fooling epsilons."""

import dataclasses
import math
from collections.abc import Sequence

from rogseg.evaluation.case_record import class_mean, sizes
from rogseg.evaluation.statistics import Bounds, size_bounds
from rogseg.report.contents import Contents, MeasureText
from rogseg.report.estimates import Estimate, mean_over_cases, paired_difference, share_of_cases
from rogseg.report.rows import CaseValues, Condition, Row

__all__ = [
    "VISIBILITY",
    "class_estimates",
    "clean_estimate",
    "difference_of",
    "estimate_of",
    "fell_by",
    "fell_of",
    "reference_strength",
    "smallest_fooling",
    "values_of",
    "visibility_estimates",
    "visible_rows",
    "worst_of",
    "worst_rows",
]

VISIBILITY: dict[str, tuple[str, int, Bounds]] = {
    "SSIM": ("SSIM", 4, (-1.0, 1.0)),
    "PSNR": ("PSNR [dB]", 1, (None, None)),
    "change over noise": ("change over noise", 2, (0.0, None)),
}
"""How visible a change is: by the name in the records the heading, the digits, and what a mean cannot leave."""

REFERENCE = 8 / 255
"""The epsilon that the paper speaks of."""


def values_of(row: Row, measure: MeasureText, index: int | None = None) -> tuple[float | None, ...]:
    """The measure of each case of a row: of one class, or the mean over classes.

    Of a worst case a class has its lowest value over the attacks, as in the tables of `rogseg.evaluation`.
    """
    if index is None:
        return tuple(case.mean(measure.name) for case in row.cases)
    values = []
    for case in row.cases:
        per_class = case.lows if case.lows and measure.is_primary else case.values.get(measure.name, ())
        values.append(per_class[index] if per_class else None)
    return tuple(values)


def estimate_of(row: Row, measure: MeasureText, index: int | None = None) -> Estimate:
    """Mean over the cases of a row."""
    return mean_over_cases(values_of(row, measure, index), measure.bounds)


def visible_rows(contents: Contents) -> tuple[Row, ...]:
    """The attacks of whose adversaries it was recorded how visible they are."""
    rows = [row for row in contents.rows if row.condition.kind in ("attack", "worst case")]
    return tuple(row for row in rows if any(case.visibility for case in row.cases))


def visibility_estimates(row: Row) -> tuple[Estimate, ...]:
    """Mean over the cases of each measure in `VISIBILITY`."""
    return tuple(
        mean_over_cases([case.visibility.get(name) for case in row.cases], bounds)
        for name, (_, _, bounds) in VISIBILITY.items()
    )


def class_estimates(row: Row, measure: MeasureText, num_classes: int) -> tuple[Estimate, ...]:
    """Mean over the cases, of each class."""
    return tuple(estimate_of(row, measure, index) for index in range(num_classes))


def clean_estimate(contents: Contents, row: Row) -> Estimate:
    """The primary measure without attack, of the cases of a row; without a value where they were not measured."""
    clean = contents.clean_of(row)
    ids = {case.case_id for case in row.cases}
    same = clean.of_cases(ids) if clean else row.of_cases(())
    return estimate_of(same, contents.primary)


def fell_of(row: Row) -> Estimate:
    """Share of the cases that the attack was successful on."""
    return share_of_cases([case.fell for case in row.cases])


def worst_rows(contents: Contents, system: str, norm: str) -> tuple[Row, ...]:
    """Per epsilon the row of the worst case, or of the single attack that there is; ascending in epsilon."""
    rows = [row for row in contents.rows_of(system, ("attack", "worst case")) if row.condition.norm == norm]
    chosen = []
    for strength in sorted({row.condition.strength for row in rows}):
        here = [row for row in rows if row.condition.strength == strength]
        worst = [row for row in here if row.condition.kind == "worst case"]
        if not worst and len(here) > 1:
            raise ValueError(
                f"report {contents.title!r}: {len(here)} attacks at one epsilon have no row of the worst case"
            )
        chosen.append((worst or here)[0])
    return tuple(chosen)


def worst_of(rows: Sequence[Row], measure: str, weaker: Sequence[Row] = ()) -> Row:
    """Per case the attack with the lowest mean; success of any attack is success of the worst case.

    A case counts with the attacks that were run on it: a cascade leaves out those that it does not need.

    Args:
        rows: of the attacks at one epsilon.
        measure: that is the lowest.
        weaker: of those at smaller ones; what they took of a class is taken here, too.
    """
    also = [{case.case_id: case for case in row.cases} for row in weaker]
    # Of equal ones an ensemble's own record counts, as in the tables of `rogseg.evaluation`.
    own_first = sorted(rows, key=lambda row: row.condition.kind != "worst case")
    by_case = [{case.case_id: case for case in row.cases} for row in own_first]
    worst = []
    for case_id in dict.fromkeys(case_id for cases in by_case for case_id in cases):
        candidates = [cases[case_id] for cases in by_case if case_id in cases]
        lowest = min(candidates, key=lambda case: math.inf if (value := case.mean(measure)) is None else value)
        admissible = [*candidates, *(cases[case_id] for cases in also if case_id in cases)]
        columns = zip(*(case.values.get(measure, ()) for case in admissible), strict=True)
        lows = tuple(min((value for value in column if value is not None), default=None) for column in columns)
        verdicts = [case.fell for case in candidates if case.fell is not None]
        fell = any(verdicts) if verdicts else None
        worst.append(dataclasses.replace(lowest, fell=fell, line=None, lows=lows))
    condition = dataclasses.replace(rows[0].condition, kind="worst case", name="worst case", budget="")
    return dataclasses.replace(rows[0], condition=condition, cases=tuple(worst))


def reference_strength(contents: Contents, system: str, norm: str) -> float | None:
    """The tested epsilon that a verdict is on: 8/255, or what is nearest to it; None without an attack.

    In raw or network units 8/255 is next to nothing: there it is the largest that was tested.
    """
    strengths = [row.condition.strength for row in worst_rows(contents, system, norm)]
    if any(threat.norm == norm and not threat.is_in_255ths for threat in contents.threats):
        return max(strengths, default=None)
    return min(strengths, key=lambda strength: abs(strength - REFERENCE), default=None)


def smallest_fooling(rows: Sequence[Row]) -> dict[str, Condition | None]:
    """Per case the condition with the smallest epsilon under which it fell; None where it never did.

    Cases on which nothing can succeed are left out; all are where the attacks at one epsilon ask for something else
    than those at another.
    """
    found: dict[str, Condition | None] = {}
    if len({row.condition.criterion for row in rows}) > 1:
        return found
    for row in sorted(rows, key=lambda row: row.condition.strength):
        for case in row.cases:
            if case.fell is not None and found.get(case.case_id) is None:
                found[case.case_id] = row.condition if case.fell else None
    return found


def fell_by(rows: Sequence[Row]) -> tuple[tuple[tuple[float, str, float], ...], int]:
    """Share of the cases that had fallen by each epsilon.

    Over the cases that every epsilon has: one that was not attacked at the larger ones yet does not stand there.

    Returns:
        Epsilon, its label and the share, ascending; and the number of cases on which an attack could succeed.
    """
    at_all = set.intersection(*({case.case_id for case in row.cases} for row in rows)) if rows else set()
    found = {case_id: first for case_id, first in smallest_fooling(rows).items() if case_id in at_all}
    points = []
    for row in sorted(rows, key=lambda row: row.condition.strength):
        strength = row.condition.strength
        fallen = sum(first is not None and first.strength <= strength for first in found.values())
        points.append((strength, row.condition.label, fallen / len(found) if found else 0.0))
    return tuple(points), len(found)


def difference_of(first: Row, second: Row, measure: MeasureText) -> Estimate:
    """Mean of second minus first over the cases that both rows have; of what is best at zero, of how far off it is."""
    others: dict[str, CaseValues] = {case.case_id: case for case in second.cases}
    shared = [case for case in first.cases if case.case_id in others]

    def value(case: CaseValues) -> float | None:
        per_class = case.values.get(measure.name, ())
        return class_mean(sizes(per_class) if measure.better == "zero" else per_class)

    bounds = size_bounds(measure.bounds) if measure.better == "zero" else measure.bounds
    before, after = [value(case) for case in shared], [value(others[case.case_id]) for case in shared]
    return paired_difference(before, after, bounds)
