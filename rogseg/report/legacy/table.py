"""The table of the released evaluation's faults."""

from collections.abc import Sequence

from rogseg.report.estimates import mean_over_cases, paired_difference, share_of_cases
from rogseg.report.legacy.rows import LegacyRow
from rogseg.report.tables.table import Cell, ReportTable

__all__ = ["legacy_table"]

NOTES = (
    "Dice is the lowest over the five attacks (PGD, APGD-CE, APGD-DLR, FAB-T, Square), case by case. Drops are from "
    "the clean Dice, differences from the right evaluation, both paired by case. Brackets: 95% intervals.",
    "Share: what a fault adds to the drop of the right evaluation, or what the released one loses without it, over the "
    "released drop. Faults act together, so shares need not sum to 1.",
    "In every row APGD hands back the iterate of lowest Dice, which is a choice and no fault, and FAB takes 5 "
    "iterations, as the other attacks do.",
)


def legacy_table(rows: Sequence[LegacyRow], title: str) -> ReportTable:
    """The right evaluation first, the released one last."""
    right, released = rows[0], rows[-1]
    cases = list(right.dice)
    whole = _drop(released, cases)
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        dice = [row.dice.get(case_id) for case_id in cases]
        clean = [row.clean.get(case_id) for case_id in cases]
        fell = [row.fell.get(case_id) for case_id in cases]
        beside = [right.dice.get(case_id) for case_id in cases]
        lines.append(
            (
                row.variant.name,
                sum(value is not None for value in dice),
                mean_over_cases(dice, (0.0, 1.0)),
                paired_difference(dice, clean),
                paired_difference(beside, dice),
                _share(row, right, released, cases, whole),
                share_of_cases(fell),
                255 * row.furthest,
            )
        )
    headings = (
        "evaluation", "cases", "mean Dice", "drop", "minus the right one", "share of the released drop", "fell",
        "furthest move [1/255 of the width]",
    )  # fmt: skip
    return ReportTable("legacy", title, headings, tuple(lines), NOTES)


def _drop(row: LegacyRow, cases: Sequence[str]) -> float:
    drops = [row.clean[case_id] - row.dice[case_id] for case_id in cases if case_id in row.dice]
    return sum(drops) / len(drops) if drops else 0.0


def _share(row: LegacyRow, right: LegacyRow, released: LegacyRow, cases: Sequence[str], whole: float) -> float | None:
    if whole <= 0 or row in (right, released):
        return None
    is_alone = len(row.variant.faults) == 1
    less, more = (_drop(right, cases), _drop(row, cases)) if is_alone else (_drop(row, cases), whole)
    return (more - less) / whole
