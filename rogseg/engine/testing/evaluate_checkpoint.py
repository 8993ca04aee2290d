"""From a config and a checkpoint to predictions on the raw grid, records per case and a table."""

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rogseg.cases import Case
from rogseg.engine.config.load import load_config
from rogseg.engine.evaluation_identity import digest_of_file, environment
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.api import build_model
from rogseg.engine.testing.cases_to_test import CasesToTest, find_cases
from rogseg.engine.testing.postprocessing_choice import choose_for_checkpoint
from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary
from rogseg.evaluation.case_record import SCHEMA_VERSION, CaseRecord
from rogseg.evaluation.identity import CaseSelection, EvaluatedSystem, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.inference import write_prediction
from rogseg.metrics import Measure, build_measures, default_measures, measure_classes
from rogseg.preprocessing import Volume, digest_files, read_label
from rogseg.storage import RawCase, remove_leftovers, write_bytes_atomic, write_json_atomic
from rogseg.systems import RogsegSystem
from rogseg.task_plan import TaskPlan

__all__ = ["evaluate_checkpoint"]


def evaluate_checkpoint(
    config: str | Path,
    checkpoint: str | Path,
    out: str | Path,
    *,
    cases: Sequence[str] = ("validation",),
    images: Path | None = None,
    raw: Path | None = None,
    task: Path | None = None,
    submission: bool = False,
    choose_postprocessing: bool = False,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Predict and measure; see ``tools/test.py --help``. What is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console = Console()
    loaded = load_config(config, list(cfg_options), task)
    model = build_model(loaded, checkpoint, device)
    if model.device.type == "cpu":
        keep_freed_memory()
    stored_dir = task or Path(loaded.stored_root) / model.plan.name
    if choose_postprocessing:
        choice = choose_for_checkpoint(model, checkpoint, stored_dir, loaded)
        model.plan = choice.plan
        chosen = [entry.name for entry in choice.plan.classes if entry.postprocess]
        console.print(f"post-processing helps: {', '.join(chosen) or 'no class'} (recorded beside {checkpoint})")
    tested = find_cases(
        model.plan,
        ["test"] if submission else cases,
        raw_dir=raw or Path(loaded.data_root) / model.plan.name,
        stored_dir=stored_dir,
        fold=loaded.fold,
        images=images,
    )
    directory = Path(out)
    measures = build_measures(loaded.get("measures") or default_measures(model.plan.surface_tolerance))
    of, versions = model.identity, environment(model.device)
    identity = EvaluationIdentity(
        # Post-processing may have been chosen since the system was made.
        system=EvaluatedSystem(of.kind, of.name, of.digest, {**of.options, "plan": model.plan.to_json()}),
        task=model.plan.name,
        classes=model.class_names,
        channels=tuple({"name": one.name, "unit": one.unit} for one in model.channels),
        data={case.case_id: digest_files(files_of(case)) for case in tested.raw},
        condition=None,
        threat=None,
        criterion=None,
        protocol="raw grid",
        window_size=tuple(loaded.inference["window_size"]),
        overlap=loaded.inference["overlap"],
        measures=tuple(measure.describe() for measure in measures),
        selection=CaseSelection("a folder of images" if images else " ".join(cases), None),
        seed=None,
        fold=loaded.fold,
        leak="not recorded",
        versions={"rogseg": versions["rogseg"], "schema": SCHEMA_VERSION},
    )
    report = RecordFolder(directory, identity, versions)
    predictions = directory / "predictions"
    predictions.mkdir(exist_ok=True)
    remove_leftovers(directory)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        for case in progress.track(tested.raw, description="predicting"):
            _test_case(model, case, tested, predictions, report, measures)
    _conclude(report, directory, console)
    if submission:
        console.print(f"submission: {_pack(model.plan.name, tested, directory)}")
    return report


def _test_case(
    model: RogsegSystem,
    case: RawCase,
    tested: CasesToTest,
    predictions: Path,
    report: RecordFolder,
    measures: Sequence[Measure],
) -> None:
    path = predictions / f"{case.case_id}.nii.gz"
    record = report.clean().get(case.case_id)
    if record is not None and path.is_file():
        _check_prediction(path, record)
        return
    prepared = _prepare(model, case, tested)
    labels = model.segment(prepared)
    properties = prepared.properties
    write_prediction(path, labels, model.plan, properties)
    if record is not None:
        _check_prediction(path, record)
        return
    values = {}
    if case.label is not None:
        # The label is only compared with the image's grid, which needs no voxel of the image.
        grid = Volume(np.broadcast_to(np.float32(0), (1, *properties.raw_shape)), np.array(properties.raw_affine))
        target = read_label(case.label, case.images[0], grid, model.plan.label_values)
        classes = [(index,) for index in range(1, model.plan.num_classes)]
        values = measure_classes(measures, labels, target, properties.raw_spacing, classes)
    report.add(CaseRecord.of_clean(case.case_id, values, prediction=digest_of_file(path)))


def _check_prediction(path: Path, record: CaseRecord) -> None:
    if digest_of_file(path) != record.prediction:
        raise ValueError(
            f"{path}: it is not the prediction that records.jsonl is of; delete it to have it predicted anew, or give "
            "another --out"
        )


def files_of(case: RawCase) -> list[Path]:
    """The files of a raw case, its label last."""
    return [*case.images, *([] if case.label is None else [case.label])]


def _prepare(model: RogsegSystem, case: RawCase, tested: CasesToTest) -> Case:
    stored = tested.stored
    # A task that was stored for another plan has other intensities or another grid: then the raw files count.
    if stored is not None and _is_stored_for(model.plan, stored.plan) and case.case_id in stored.case_ids:
        return model.prepare_stored(stored.case(case.case_id))
    return model.prepare(dataclasses.replace(case, label=None))


def _is_stored_for(plan: TaskPlan, stored_plan: TaskPlan) -> bool:
    return plan.channels == stored_plan.channels and plan.spacing == stored_plan.spacing


def _conclude(report: RecordFolder, directory: Path, console: Console) -> None:
    if any(record.measures for record in report.records):
        write_bytes_atomic(directory / "metrics.csv", accuracy_csv(report).encode())
        write_json_atomic(directory / "summary.json", accuracy_summary(report))
        for table in evaluation_tables(report):
            table.print_to(console)
    else:
        console.print("no case has a label: predictions only")
    console.print(f"predictions and records: {directory}")


def _pack(task_name: str, tested: CasesToTest, directory: Path) -> Path:
    """The archive that the Decathlon's challenge page takes: one folder with the task's name, one file per case."""
    path = directory / f"{task_name}.zip"
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for case in tested.raw:
            file = f"{case.case_id}.nii.gz"
            archive.write(directory / "predictions" / file, f"{task_name}/{file}")
    partial.replace(path)
    return path
