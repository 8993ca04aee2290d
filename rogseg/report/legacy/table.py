"""The released evaluation's faults as a table, and as a figure of Dice and verdict of every case."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.report.estimates import mean_over_cases, paired_difference, share_of_cases
from rogseg.report.figures.style import INK, PAGE, SOFT, new_figure, save, styled
from rogseg.report.legacy.rows import LegacyRow
from rogseg.report.tables.table import Cell, ReportTable

__all__ = ["legacy_table", "plot_legacy"]

FELL = "#b3261e"
OF_DICE = (0.0, 1.0)  # what it cannot leave
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
                mean_over_cases(dice, OF_DICE),
                paired_difference(dice, clean, OF_DICE),
                paired_difference(beside, dice, OF_DICE),
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


def plot_legacy(rows: Sequence[LegacyRow], stem: Path) -> tuple[Path, Path]:
    """A line per row, a mark per case: red triangles fell, grey circles stand, the bar is the mean."""
    with styled():
        figure = new_figure(PAGE, 0.9 + 0.26 * len(rows))
        axes = figure.add_subplot()
        for position, row in enumerate(rows):
            for is_fallen, colour, marker in ((False, SOFT, "o"), (True, FELL, "v")):
                values = [dice for case_id, dice in row.dice.items() if row.fell[case_id] == is_fallen]
                axes.scatter(
                    values, [position] * len(values), s=14, color=colour, marker=marker, alpha=0.6, linewidths=0
                )
            if row.dice:
                mean = sum(row.dice.values()) / len(row.dice)
                axes.plot([mean, mean], [position - 0.35, position + 0.35], color=INK, linewidth=1.4)
        axes.scatter([], [], s=14, color=SOFT, label="stands")
        axes.scatter([], [], s=14, color=FELL, marker="v", label="called fallen")
        axes.plot([], [], color=INK, linewidth=1.4, label="mean")
        axes.set_yticks(range(len(rows)), [row.variant.name for row in rows])
        axes.set(xlim=(-0.02, 1), xlabel="lowest mean Dice over the five attacks")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper center", ncols=3)
        return save(figure, stem)
