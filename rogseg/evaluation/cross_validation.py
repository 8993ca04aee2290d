"""The folds of a cross-validation as one result: every case once, by the network that had not seen it."""

from collections.abc import Sequence
from typing import Any

from rogseg.evaluation.accuracy_table import accuracy_means, means_as_json
from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.notes import leak_note
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.text_table import TextTable, heading_of, with_interval

__all__ = ["cross_validation_summary", "cross_validation_table"]


def cross_validation_table(folds: Sequence[RecordFolder]) -> TextTable:
    """A row per fold, for the mean over its classes, then one per class and for their mean over all cases.

    Raises:
        ValueError: the folds are of different tasks or measures, or share a case.
    """
    identity, records = _united(folds)
    of_class, of_all = accuracy_means(identity, records)
    measures = [measure for measure in identity.measures if of_all[measure["name"]].num_cases]
    parts = [
        (f"fold {fold.identity.fold}", accuracy_means(fold.identity, list(fold.clean().values()))[1]) for fold in folds
    ]
    rows = []
    for name, means in [*parts, *((f"all folds, {name}", means) for name, means in of_class.items())]:
        rows.append([name, *_cells(means, measures)])
    rows.append(["all folds, mean", *_cells(of_all, measures)])
    headings = ["", "cases", *(f"{heading_of(measure)} [95%]" for measure in measures)]
    notes = [
        "Every case is measured once, by the network of the fold that it was held out of; the interval is over cases "
        "and does not hold what another training would change.",
        *dict.fromkeys(note for fold in folds if (note := leak_note(fold.identity))),
    ]
    return TextTable(f"{identity.task}, {len(folds)} folds, measured in the raw grid", headings, rows, notes)


def cross_validation_summary(folds: Sequence[RecordFolder]) -> dict[str, Any]:
    """The same as JSON data: ``folds``, ``classes`` and ``mean``.

    Raises:
        ValueError: as `cross_validation_table`.
    """
    identity, records = _united(folds)
    of_class, of_all = accuracy_means(identity, records)
    return {
        "folds": {
            str(fold.identity.fold): means_as_json(accuracy_means(fold.identity, list(fold.clean().values()))[1])
            for fold in folds
        },
        "classes": {name: means_as_json(measures) for name, measures in of_class.items()},
        "mean": means_as_json(of_all),
    }


def _cells(means: dict[str, Any], measures: Sequence[Any]) -> list[str]:
    entries = [means[measure["name"]] for measure in measures]
    return [
        str(max((entry.num_cases for entry in entries), default=0)),
        *(with_interval(entry.mean, entry.interval) for entry in entries),
    ]


def _united(folds: Sequence[RecordFolder]) -> tuple[EvaluationIdentity, list[CaseRecord]]:
    first = folds[0].identity
    records: dict[str, CaseRecord] = {}
    for fold in folds:
        here = fold.identity
        if (here.task, here.classes, here.measures) != (first.task, first.classes, first.measures):
            raise ValueError(
                f"{fold.directory}: its task, classes or measures are not those of {folds[0].directory}: test all "
                "folds by one command into an empty --out"
            )
        twice = sorted(set(records) & set(fold.clean()))
        if twice:
            raise ValueError(f"{fold.directory}: case {twice[0]} is in another fold, too; a case is measured once")
        records |= fold.clean()
    return first, list(records.values())
