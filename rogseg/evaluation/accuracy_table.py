"""Clean records as CSV, as a summary in JSON and as a table for the terminal."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

from rogseg.evaluation.case_record import CaseRecord, class_mean
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.notes import notes_on
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import MeanOverCases, mean_over_cases
from rogseg.evaluation.text_table import TextTable, heading_of, with_interval

__all__ = ["accuracy_csv", "accuracy_means", "accuracy_summary", "accuracy_table", "means_as_json"]


def accuracy_csv(folder: RecordFolder) -> str:
    """One line per case and class: case, class, a column per measure; empty where a measure says nothing."""
    text, names = io.StringIO(), [measure["name"] for measure in folder.identity.measures]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "class", *names])
    for record in folder.clean().values():
        if record.measures:
            for index, class_name in enumerate(folder.identity.classes):
                values = [record.measures[name][index] for name in names]
                writer.writerow([record.case_id, class_name, *("" if v is None else repr(v) for v in values)])
    return text.getvalue()


def accuracy_means(
    identity: EvaluationIdentity, records: Sequence[CaseRecord]
) -> tuple[dict[str, dict[str, MeanOverCases]], dict[str, MeanOverCases]]:
    """Means over cases by measure: of each class by its name, and of each case's mean over the classes that it has."""
    labelled = [record for record in records if record.measures]

    def means(part: slice) -> dict[str, MeanOverCases]:
        return {
            measure["name"]: mean_over_cases(
                (class_mean(record.measures[measure["name"]][part]) for record in labelled), measure["bounds"]
            )
            for measure in identity.measures
        }

    of_class = {name: means(slice(index, index + 1)) for index, name in enumerate(identity.classes)}
    return of_class, means(slice(None))


def accuracy_summary(folder: RecordFolder) -> dict[str, Any]:
    """`accuracy_means` as JSON data: ``classes`` and ``mean``; an interval is null where there is none."""
    of_class, of_all = accuracy_means(folder.identity, list(folder.clean().values()))
    return {
        "classes": {name: means_as_json(measures) for name, measures in of_class.items()},
        "mean": means_as_json(of_all),
    }


def means_as_json(measures: dict[str, MeanOverCases]) -> dict[str, dict[str, Any]]:
    """Means by measure as JSON data."""
    return {name: dataclasses.asdict(value) for name, value in measures.items()}


def accuracy_table(folder: RecordFolder, title: str) -> TextTable:
    """Mean and 95% interval of every measure that says something, a row per class and one for their mean."""
    of_class, of_all = accuracy_means(folder.identity, list(folder.clean().values()))
    measures = [measure for measure in folder.identity.measures if of_all[measure["name"]].num_cases]
    rows = []
    for name, means in [*of_class.items(), ("mean", of_all)]:
        entries = [means[measure["name"]] for measure in measures]
        num_cases = str(max((entry.num_cases for entry in entries), default=0))
        rows.append([name, num_cases, *(with_interval(entry.mean, entry.interval) for entry in entries)])
    headings = ["class", "cases", *(f"{heading_of(measure)} [95%]" for measure in measures)]
    return TextTable(title, headings, rows, notes_on(folder))
