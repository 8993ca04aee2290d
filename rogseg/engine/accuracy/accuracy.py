"""evaluate_accuracy: any system, raw cases, predictions in the raw grid and a record of each case."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.cases import Case
from rogseg.engine.digests import digest_of_file, environment
from rogseg.engine.evaluated_system import evaluated_channels, evaluated_system, record_versions
from rogseg.evaluation.case_record import CaseRecord, PerClass
from rogseg.evaluation.identity import CaseSelection, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, build_measures, measure_classes
from rogseg.preprocessing import Volume, read_image, write_image, write_label
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems import RawCases, System

__all__ = ["default_measures", "evaluate_accuracy", "prediction_path"]


def default_measures(system: System) -> tuple[Mapping[str, Any], ...]:
    """What is measured where nothing else is asked for: configs of the METRICS registry."""
    surface = {"type": "NSD", "tolerance": system.surface_tolerance}
    others = ("HD95", "VolumeError", "FalseVolume")
    return ({"type": "Dice"}, surface, *({"type": name} for name in others))


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
        save_probabilities: whether the probabilities of the classes are written, too, into ``probabilities/``.
        on_progress: called with the cases that are done, and with all there are: first with what an earlier run has
            left.

    Raises:
        ValueError: the folder holds another evaluation, or cases could not be used; the message names each.
    """
    built = build_measures(default_measures(system) if measures is None else measures)
    source = RawCases(system, cases, task)
    identity = EvaluationIdentity(
        system=evaluated_system(system),
        task=task,
        classes=system.class_names,
        channels=evaluated_channels(system),
        data={},
        condition=None,
        threat=None,
        criterion=None,
        protocol="raw grid",
        window_size=system.window_size,
        overlap=None,
        measures=tuple(measure.describe() for measure in built),
        selection=selection,
        seed=None,
        fold=fold,
        leak=leak,
        versions=record_versions(),
    )
    broken: list[str] = []
    digests: dict[str, str] = {}
    for case in cases:
        try:
            digests[case.case_id] = source.digest(case.case_id)
        except ValueError as error:
            broken.append(str(error))
    records = RecordFolder(out, dataclasses.replace(identity, data=digests), environment("cpu"))
    todo = [
        case for case in cases if case.case_id in digests and not _is_done(records, case.case_id, save_probabilities)
    ]
    for done, case in enumerate(todo, start=len(cases) - len(todo)):
        if on_progress is not None:
            on_progress(done, len(cases))
        try:
            known = records.clean()
            made = _segment_and_measure(system, case, records.directory, built, save_probabilities)
            if case.case_id in known:
                _check_prediction(prediction_path(records.directory, case.case_id), known[case.case_id])
            else:
                records.add(made)
        except ValueError as error:
            broken.append(f"{case.case_id}: {error}")
    if on_progress is not None:
        on_progress(len(cases), len(cases))
    if broken:
        listed = "\n  ".join(broken)
        number = "1 case" if len(broken) == 1 else f"{len(broken)} cases"
        raise ValueError(f"{number} of {len(cases)} could not be segmented, the others are done:\n  {listed}")
    return records


def prediction_path(directory: Path, case_id: str) -> Path:
    """Where the label map of a case goes."""
    return directory / "predictions" / f"{case_id}.nii.gz"


def probabilities_path(directory: Path, case_id: str) -> Path:
    """Where the probabilities of a case go: a 4-D file, one volume per class, the background first."""
    return directory / "probabilities" / f"{case_id}.nii.gz"


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


def _segment_and_measure(
    system: System, raw: RawCase, directory: Path, measures: Sequence[Measure], save_probabilities: bool
) -> CaseRecord:
    begin = time.perf_counter()
    case = system.prepare(dataclasses.replace(raw, label=None))
    grid = _grid_of(raw, case)
    with torch.no_grad():
        logits = system.finite_logits(case)
        if save_probabilities:
            probabilities = system.raw_probabilities(logits, case)
            write_image(probabilities_path(directory, raw.case_id), probabilities, grid.affine, grid.forms)
        labels = system.to_raw(logits, case)
    path = prediction_path(directory, raw.case_id)
    values: NDArray[np.int64] = np.array(system.label_values, dtype=np.int64)[labels]
    write_label(path, values, grid.affine, grid.forms)
    taken: dict[str, PerClass] = {}
    if raw.label is not None:
        target, counts = system.read_targets(raw, grid)
        if counts is not None:
            labels = np.where(counts, labels, 0)
        taken = measure_classes(measures, labels, target, grid.spacing, system.class_indices)
    seconds = time.perf_counter() - begin
    return CaseRecord.of_clean(raw.case_id, taken, seconds=seconds, prediction=digest_of_file(path))


def _grid_of(raw: RawCase, case: Case) -> Volume:
    """The raw grid; its voxels are not looked at."""
    if isinstance(case.properties, CaseProperties):
        blank = np.broadcast_to(np.float32(0), (1, *case.properties.raw_shape))
        return Volume(blank, np.array(case.properties.raw_affine), forms=case.properties.raw_forms)
    return read_image(raw.images[:1], 1)
