"""evaluate_accuracy: any system, raw cases, predictions in the raw grid and a record of each case."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.engine.accuracy.raw_grid import UnusableCases, default_measures, grid_of, measure_labels, raw_grid_identity
from rogseg.engine.digests import digest_of_file, environment
from rogseg.evaluation.case_record import CaseRecord, PerClass
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, build_measures
from rogseg.preprocessing import write_label
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System

__all__ = ["default_measures", "evaluate_accuracy", "prediction_path"]


def evaluate_accuracy(
    system: System,
    cases: Sequence[RawCase],
    out: str | Path,
    *,
    task: str,
    measures: Sequence[Mapping[str, Any]] | None = None,
    selection: CaseSelection,
    fold: int | None = None,
    leak: str = "not known",
    on_progress: Callable[[int, int], None] | None = None,
) -> RecordFolder:
    """Segment raw cases, write each label map and measure it where there is a label.

    What is on record with its prediction untouched is not done again. A case that cannot be used does not stop the
    others; all are named at the end.

    Args:
        system: what segments.
        cases: raw cases, with or without a label.
        out: folder of ``predictions/`` and the records; made if absent.
        task: its name.
        measures: configs of the METRICS registry; None is `default_measures`.
        selection: how the cases were chosen, for the record.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        on_progress: called with the cases that are done, and with all there are: first with what an earlier run has
            left.

    Raises:
        ValueError: the folder holds another evaluation, or cases could not be used; the message names each.
    """
    built = build_measures(default_measures(system) if measures is None else measures)
    source = RawCases(system, cases, task)
    unusable = UnusableCases(len(cases))
    digests = unusable.digests(source)
    identity = raw_grid_identity(
        system, task, built, digests, condition=None, selection=selection, seed=None, fold=fold, leak=leak
    )
    records = RecordFolder(out, identity, environment("cpu"))
    todo = [case for case in cases if case.case_id in digests and not _is_done(records, case.case_id)]
    for done, case in enumerate(todo, start=len(cases) - len(todo)):
        if on_progress is not None:
            on_progress(done, len(cases))
        try:
            made, known = _segment_and_measure(system, case, records.directory, built), records.clean()
            if case.case_id in known:
                _check_prediction(prediction_path(records.directory, case.case_id), known[case.case_id])
            else:
                records.add(made)
        except ValueError as error:
            unusable.note(case.case_id, f"{case.case_id}: {error}")
    if on_progress is not None:
        on_progress(len(cases), len(cases))
    unusable.refuse()
    return records


def prediction_path(directory: Path, case_id: str) -> Path:
    """Where the label map of a case goes."""
    return directory / "predictions" / f"{case_id}.nii.gz"


def _is_done(records: RecordFolder, case_id: str) -> bool:
    """Whether a case is on record with its prediction; one that was deleted is made again."""
    record, path = records.clean().get(case_id), prediction_path(records.directory, case_id)
    if record is None or not path.is_file():
        return False
    _check_prediction(path, record)
    return True


def _check_prediction(path: Path, record: CaseRecord) -> None:
    if digest_of_file(path) != record.prediction:
        raise ValueError(
            f"{path}: it is not the prediction that records.jsonl is of; delete it to have it made anew, or give "
            "another --out"
        )


def _segment_and_measure(system: System, raw: RawCase, directory: Path, measures: Sequence[Measure]) -> CaseRecord:
    begin = time.perf_counter()
    case = system.prepare(dataclasses.replace(raw, label=None))
    labels = system.segment(case)
    grid = grid_of(raw, case)
    path = prediction_path(directory, raw.case_id)
    values: NDArray[np.int64] = np.array(system.label_values, dtype=np.int64)[labels]
    write_label(path, values, grid.affine)
    taken: dict[str, PerClass] = {}
    if raw.label is not None:
        taken = measure_labels(system, measures, labels, *system.read_targets(raw, grid), grid)
    seconds = time.perf_counter() - begin
    return CaseRecord.of_clean(raw.case_id, taken, seconds=seconds, prediction=digest_of_file(path))
