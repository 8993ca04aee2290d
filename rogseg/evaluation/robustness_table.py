"""The table at the end of an evaluation, for a terminal and as Markdown."""

import math
from collections.abc import Sequence

from rich.table import Table

from rogseg.evaluation.robustness_summary import AttackSummary
from rogseg.metrics import bootstrap_interval

__all__ = ["markdown_table", "rich_table"]


def _cells(row: AttackSummary) -> list[str]:
    epsilon = f"{row.epsilon * 255:.3g}/255" if row.epsilon else "-"
    return [
        row.attack,
        epsilon,
        str(len(row.dice)),
        _with_interval(row.mean_dice, row.dice),
        *("-" if math.isnan(value) else f"{value:.3f}" for value in row.dice_per_class),
        _with_interval(row.robust_accuracy, [float(stands) for stands in row.robust]),
    ]


def _with_interval(value: float, values: Sequence[float]) -> str:
    if not values:
        return "-"
    lower, upper = bootstrap_interval(values)
    return f"{value:.3f} [{lower:.3f}, {upper:.3f}]"


def _headings(class_names: Sequence[str]) -> list[str]:
    return ["attack", "epsilon", "cases", "mean Dice [95%]", *class_names, "robust accuracy [95%]"]


def rich_table(rows: Sequence[AttackSummary], class_names: Sequence[str], title: str) -> Table:
    """The rows as a rich table, means with their 95% bootstrap interval."""
    table = Table(title=title)
    for heading in _headings(class_names):
        table.add_column(heading, justify="left" if heading == "attack" else "right")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def markdown_table(rows: Sequence[AttackSummary], class_names: Sequence[str]) -> str:
    """The rows as a Markdown table."""
    headings = _headings(class_names)
    lines = [headings, ["---"] * len(headings), *(_cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
