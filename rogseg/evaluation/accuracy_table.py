"""Accuracy records as CSV and as a table for the terminal."""

import csv
import io
import math
from collections.abc import Sequence

from rich.table import Table

from rogseg.evaluation.accuracy_record import MEASURES, AccuracyRecord
from rogseg.metrics import bootstrap_interval

__all__ = ["accuracy_csv", "accuracy_summary", "accuracy_table"]

HEADINGS = {"dice": "Dice", "nsd": "NSD", "hd95": "HD95 [mm]"}
MEAN = "mean"


def accuracy_csv(records: Sequence[AccuracyRecord], class_names: Sequence[str]) -> str:
    """One line per case and class: case, class, dice, nsd, hd95; empty where a class is absent from both."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "class", *MEASURES])
    for record in records:
        for index, name in enumerate(class_names):
            values = [record.measure(measure)[index] for measure in MEASURES]
            writer.writerow([record.case_id, name, *("" if value is None else repr(value) for value in values)])
    return text.getvalue()


def accuracy_summary(
    records: Sequence[AccuracyRecord], class_names: Sequence[str]
) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """Mean over cases and its 95% bootstrap interval, per class and measure.

    The class ``mean`` is the mean over cases of each case's mean over the classes that it has.

    Returns:
        class -> measure -> mean, lower, upper (None without a case) and cases.
    """
    summary: dict[str, dict[str, dict[str, float | int | None]]] = {}
    parts: dict[str, slice] = {name: slice(index, index + 1) for index, name in enumerate(class_names)} | {
        MEAN: slice(None)
    }
    for name, part in parts.items():
        summary[name] = {}
        for measure in MEASURES:
            values = [_mean(record.measure(measure)[part]) for record in records]
            present = [value for value in values if not math.isnan(value)]
            lower, upper = bootstrap_interval(present)
            summary[name][measure] = {
                "mean": math.fsum(present) / len(present) if present else None,
                "lower": lower if present else None,
                "upper": upper if present else None,
                "cases": len(present),
            }
    return summary


def accuracy_table(records: Sequence[AccuracyRecord], class_names: Sequence[str], title: str) -> Table:
    """Mean and 95% bootstrap interval of every measure, a row per class and one for their mean."""
    table = Table(title=title)
    for heading in ("class", "cases", *(f"{HEADINGS[measure]} [95%]" for measure in MEASURES)):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for name, measures in accuracy_summary(records, class_names).items():
        table.add_row(name, str(measures["dice"]["cases"]), *(_cell(measures[measure]) for measure in MEASURES))
    return table


def _cell(entry: dict[str, float | int | None]) -> str:
    if entry["mean"] is None:
        return "-"
    return f"{entry['mean']:.3f} [{entry['lower']:.3f}, {entry['upper']:.3f}]"


def _mean(values: Sequence[float | None]) -> float:
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else math.nan
