"""Dice and verdict of every case under each combination of the released evaluation's faults."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.report.figures.style import INK, PAGE, SOFT, new_figure, save, styled
from rogseg.report.legacy.rows import LegacyRow

__all__ = ["plot_legacy"]

FELL = "#b3261e"


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
