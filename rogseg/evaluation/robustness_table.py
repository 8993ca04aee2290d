"""The table at the end of an evaluation, for a terminal and as Markdown."""

import math
from collections.abc import Callable, Sequence

from rich.table import Table

from rogseg.evaluation.robustness_summary import AttackSummary

__all__ = ["markdown_table", "rich_table"]

Interval = Callable[[Sequence[float]], tuple[float, float]]


def _cells(row: AttackSummary, interval: Interval) -> list[str]:
    epsilon = f"{row.epsilon * 255:.3g}/255" if row.epsilon else "-"
    return [
        row.attack,
        epsilon,
        str(len(row.dice)),
        _with_interval(row.mean_dice, row.dice, interval),
        *("-" if math.isnan(value) else f"{value:.3f}" for value in row.dice_per_class),
        _with_interval(row.robust_accuracy, [float(stands) for stands in row.robust], interval),
    ]


def _with_interval(value: float, values: Sequence[float], interval: Interval) -> str:
    if not values:
        return "-"
    lower, upper = interval(values)
    return f"{value:.3f} [{lower:.3f}, {upper:.3f}]"


def _headings(class_names: Sequence[str]) -> list[str]:
    return ["attack", "epsilon", "cases", "mean Dice [95%]", *class_names, "robust accuracy [95%]"]


def rich_table(rows: Sequence[AttackSummary], class_names: Sequence[str], interval: Interval, title: str) -> Table:
    """The rows as a rich table; ``interval`` gives the 95% bootstrap interval of a mean."""
    table = Table(title=title)
    for heading in _headings(class_names):
        table.add_column(heading, justify="left" if heading == "attack" else "right")
    for row in rows:
        table.add_row(*_cells(row, interval))
    return table


def markdown_table(rows: Sequence[AttackSummary], class_names: Sequence[str], interval: Interval) -> str:
    """The rows as a Markdown table."""
    headings = _headings(class_names)
    lines = [headings, ["---"] * len(headings), *(_cells(row, interval) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
