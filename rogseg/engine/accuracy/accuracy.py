"""evaluate_accuracy: any system, raw cases, predictions in the raw grid and a record of each case."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.engine.accuracy.case_segmenter import CaseSegmenter, prediction_path, probabilities_path
from rogseg.engine.accuracy.raw_grid import RAW_GRID, measures_for
from rogseg.engine.case_recording import UnusableCases, record_cases
from rogseg.engine.device import system_device
from rogseg.engine.digests import digest_of_file, environment
from rogseg.engine.evaluated_system import evaluation_identity
from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import build_measures
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System
from rogseg.workers import InThisProcess, Job, Workers

__all__ = ["evaluate_accuracy"]


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
    save_probabilities: bool = False,
    workers: Workers[RawCase, tuple[CaseRecord, ...] | str] | None = None,
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
        measures: configs of the METRICS registry; None is those of `measures_for`.
        selection: how the cases were chosen, for the record.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        save_probabilities: whether the probabilities of the classes are written, too, into ``probabilities/``.
        workers: who segments, each with a `CaseSegmenter` of its own; None segments in this process.
        on_progress: called with the cases that are done, and with all there are: first with what an earlier run has
            left.

    Raises:
        ValueError: the folder holds another evaluation, or cases could not be used; the message names each.
    """
    built = build_measures(measures_for(system, measures))
    source = RawCases(system, cases, task)
    unusable = UnusableCases(len(cases))
    digests = unusable.digests(source, source.case_ids)
    identity = evaluation_identity(
        system,
        task,
        digests,
        condition=None,
        protocol=RAW_GRID,
        measures=built,
        selection=selection,
        seed=None,
        fold=fold,
        leak=leak,
    )
    records = RecordFolder(out, identity, environment(system_device(system)))
    todo = [
        case
        for case in cases
        if case.case_id not in unusable.case_ids and not _is_done(records, case.case_id, save_probabilities)
    ]

    def tell(done: int = 0) -> None:
        if on_progress is not None:
            on_progress(len(cases) - len(todo) + done, len(cases))

    def check(made: CaseRecord) -> None:
        path = prediction_path(records.directory, made.case_id)
        if not path.is_file():
            raise ValueError(
                f"a worker wrote its prediction to a {path} that is not here: let both see the same folder"
            )
        _check_prediction(path, records.clean().get(made.case_id, made))

    tell()
    jobs = [Job(f"case {case.case_id!r}", case, source.size(case.case_id)) for case in todo]
    segmenting = workers or InThisProcess(CaseSegmenter(system, records.directory, built, save_probabilities))
    for case, fault in record_cases(segmenting, jobs, records, tell, check):
        unusable.note(case.case_id, fault)
    unusable.refuse()
    return records


def _is_done(records: RecordFolder, case_id: str, save_probabilities: bool) -> bool:
    """Whether a case is on record with its files; those that were deleted are made again."""
    if save_probabilities and not probabilities_path(records.directory, case_id).is_file():
        return False
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
