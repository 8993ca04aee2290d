"""What ``rogseg test --predictions`` does: measure label maps that are there, whoever made them."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rogseg.engine.accuracy.raw_grid import RAW_GRID, default_measures, grid_of_file
from rogseg.engine.case_recording import UnusableCases
from rogseg.engine.console import make_console
from rogseg.engine.digests import digest_of_file, digest_of_json, environment
from rogseg.engine.evaluated_system import described_measures, record_versions
from rogseg.engine.reporting import conclude_accuracy
from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity import NOT_KNOWN, CaseSelection, EvaluatedSystem, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, build_measures, measure_classes
from rogseg.preprocessing import Volume, digest_files, files_of, open_raw, read_label
from rogseg.progress import ProgressDisplay
from rogseg.storage import LabelNames, read_folder_of_labels, read_label_names

__all__ = ["score_predictions"]


def score_predictions(
    predictions: str | Path,
    labels: str | Path,
    out: str | Path,
    *,
    tolerance: float | None = None,
    measures: Sequence[Mapping[str, Any]] | None = None,
) -> RecordFolder:
    """Measure every prediction of a folder against the label file of the same name; nothing is segmented.

    Names of the classes, regions and a value to leave out come from the ``dataset.json`` in the folder of the labels
    or above it; without one each value is a class.

    Args:
        predictions: folder of label maps.
        labels: folder of label files on the same grids.
        out: folder of the records.
        tolerance: of the surface Dice [mm]; None is the coarsest spacing of the label files.
        measures: configs of the METRICS registry; None is what ``rogseg test`` measures.

    Raises:
        ValueError: the folders have no case in common, or a file cannot be used.
    """
    console = make_console()
    ours, true = read_folder_of_labels(predictions), read_folder_of_labels(labels)
    case_ids = sorted(set(ours) & set(true))
    if not case_ids:
        raise ValueError(
            f"{predictions} and {labels} have no case in common ({', '.join(list(ours)[:3])} and "
            f"{', '.join(list(true)[:3])}): a prediction is named as its label file"
        )
    rule = "every prediction that has a label"
    alone = (("prediction", "label", set(ours) - set(true)), ("label", "prediction", set(true) - set(ours)))
    for what, other, rest in alone:
        if rest:
            number = f"1 {what} has" if len(rest) == 1 else f"{len(rest)} {what}s have"
            console.print(f"note: {number} no {other}, left out, such as {min(rest)}", markup=False)
            rule += f"; {number} no {other}"
    grids = {case_id: grid_of_file(true[case_id]) for case_id in case_ids}
    if tolerance is None:
        tolerance = round(max(step for grid in grids.values() for step in grid.spacing), 3)
    names = _names(Path(labels), [true[case_id] for case_id in case_ids])
    built = build_measures(default_measures(tolerance) if measures is None else measures)
    # The same names may stand for other values in another dataset.json.
    meaning = {"label_values": {name: list(part) for name, part in names.classes}, "ignore": names.ignore}
    digests = {case_id: _digest(ours[case_id]) for case_id in case_ids}
    identity = EvaluationIdentity(
        system=EvaluatedSystem("predictions", Path(predictions).absolute().name, digest_of_json(digests), meaning),
        task=Path(labels).absolute().parent.name,
        classes=tuple(name for name, _ in names.classes),
        channels=(),
        data={case_id: _digest(true[case_id]) for case_id in case_ids},
        condition=None,
        threat=None,
        criterion=None,
        protocol=RAW_GRID,
        window_size=None,
        overlap=None,
        measures=described_measures(built),
        selection=CaseSelection(rule, None),
        seed=None,
        fold=None,
        leak=NOT_KNOWN,
        versions=record_versions(),
    )
    records = RecordFolder(out, identity, environment("cpu"))
    _score(records, names, ours, true, grids, built, console)
    conclude_accuracy(records, console)
    return records


def _score(
    records: RecordFolder,
    names: LabelNames,
    ours: Mapping[str, Path],
    true: Mapping[str, Path],
    grids: Mapping[str, Volume],
    measures: Sequence[Measure],
    console: Console,
) -> None:
    values = names.values
    classes = [tuple(values.index(value) for value in of_class) for _, of_class in names.classes]
    unusable = UnusableCases(len(grids))
    with ProgressDisplay("measuring", console=console) as progress:
        for done, (case_id, grid) in enumerate(grids.items()):
            progress.update(done, len(grids))
            if case_id in records.clean():
                continue
            begin = time.perf_counter()
            try:
                target = read_label(true[case_id], true[case_id], grid, values)
                prediction = read_label(ours[case_id], true[case_id], grid, values)
            except ValueError as error:
                unusable.note(case_id, f"{case_id}: {error}")
                continue
            if names.ignore is not None:
                counts = target != values.index(names.ignore)
                target, prediction = np.where(counts, target, 0), np.where(counts, prediction, 0)
            taken = measure_classes(measures, prediction, target, grid.spacing, classes)
            seconds, digest = time.perf_counter() - begin, _digest(ours[case_id])
            records.add(CaseRecord.of_clean(case_id, taken, seconds=seconds, prediction=digest))
        progress.update(len(grids), len(grids))
    unusable.refuse()


def _digest(path: Path) -> str:
    return digest_of_file(path) if path.is_file() and len(files_of(path)) == 1 else digest_files([path])


def _names(folder: Path, files: Sequence[Path]) -> LabelNames:
    for index in (folder / "dataset.json", folder.absolute().parent / "dataset.json"):
        if index.is_file():
            return read_label_names(index)
    values: set[int] = set()
    for path in files:
        found = np.unique(np.rint(open_raw(path).voxels()))
        values |= {int(value) for value in found[np.isfinite(found)]}  # who reads the file names the others
    try:
        return LabelNames.of_values(tuple(values))
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
