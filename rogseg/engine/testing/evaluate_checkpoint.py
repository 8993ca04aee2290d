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
from rogseg.engine.evaluation_identity import digest_of_file, digest_of_json
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.api import build_model
from rogseg.engine.testing.cases_to_test import CasesToTest, find_cases
from rogseg.engine.testing.postprocessing_choice import choose_for_checkpoint
from rogseg.evaluation.accuracy_record import measure_case
from rogseg.evaluation.accuracy_report import AccuracyReport
from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table
from rogseg.inference import write_prediction
from rogseg.preprocessing import Volume, read_label
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
) -> AccuracyReport:
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
    identity = {
        "task": model.plan.name,
        "plan": digest_of_json(model.plan.to_json()),
        "model": digest_of_json(loaded.model.to_dict()),
        "checkpoint": digest_of_file(checkpoint),
        "inference": loaded.inference.to_dict(),
        "images": None if images is None else str(Path(images).absolute()),
    }
    report = AccuracyReport(directory, identity)
    predictions = directory / "predictions"
    predictions.mkdir(exist_ok=True)
    remove_leftovers(directory)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        for case in progress.track(tested.raw, description="predicting"):
            _test_case(model, case, tested, predictions, report)
    _conclude(report, model, directory, console)
    if submission:
        console.print(f"submission: {_pack(model.plan.name, tested, directory)}")
    return report


def _test_case(
    model: RogsegSystem, case: RawCase, tested: CasesToTest, predictions: Path, report: AccuracyReport
) -> None:
    path = predictions / f"{case.case_id}.nii.gz"
    if path.is_file() and (case.label is None or report.has(case.case_id)):
        return
    prepared = _prepare(model, case, tested)
    labels = model.segment(prepared)
    properties = prepared.properties
    write_prediction(path, labels, model.plan, properties)
    if case.label is None or report.has(case.case_id):
        return
    # The label is only compared with the image's grid, which needs no voxel of the image.
    grid = Volume(np.broadcast_to(np.float32(0), (1, *properties.raw_shape)), np.array(properties.raw_affine))
    target = read_label(case.label, case.images[0], grid, model.plan.label_values)
    report.add(
        measure_case(
            case.case_id,
            labels,
            target,
            model.plan.num_classes,
            properties.raw_spacing,
            model.plan.surface_tolerance,
        )
    )


def _prepare(model: RogsegSystem, case: RawCase, tested: CasesToTest) -> Case:
    stored = tested.stored
    # A task that was stored for another plan has other intensities or another grid: then the raw files count.
    if stored is not None and _is_stored_for(model.plan, stored.plan) and case.case_id in stored.case_ids:
        return model.prepare_stored(stored.case(case.case_id))
    return model.prepare(dataclasses.replace(case, label=None))


def _is_stored_for(plan: TaskPlan, stored_plan: TaskPlan) -> bool:
    return plan.channels == stored_plan.channels and plan.spacing == stored_plan.spacing


def _conclude(report: AccuracyReport, model: RogsegSystem, directory: Path, console: Console) -> None:
    names = model.plan.class_names
    if report.records:
        write_bytes_atomic(directory / "metrics.csv", accuracy_csv(report.records, names).encode())
        write_json_atomic(directory / "summary.json", accuracy_summary(report.records, names))
        title = f"{model.plan.name}, raw grid, NSD at {model.plan.surface_tolerance:g} mm"
        console.print(accuracy_table(report.records, names, title))
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
