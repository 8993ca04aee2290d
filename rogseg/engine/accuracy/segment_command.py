"""What the command ``test`` does: open a system, segment raw cases, measure them and report."""

import contextlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rogseg.engine.accuracy.accuracy import default_measures, evaluate_accuracy
from rogseg.engine.accuracy.case_segmenter import SegmentWorker, prediction_path
from rogseg.engine.accuracy.postprocessing_choice import choose_for_checkpoint
from rogseg.engine.case_finding import cases_to_test
from rogseg.engine.console import make_console
from rogseg.engine.device import choose_device, num_gpus
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.leak import leak_of
from rogseg.engine.model.open_system import OpenedSystem, open_system
from rogseg.engine.stored_task import stored_task_dir
from rogseg.engine.system_opening import SystemNames
from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.progress import ProgressDisplay
from rogseg.storage import RawCase, remove_leftovers, write_bytes_atomic, write_json_atomic
from rogseg.systems import RogsegSystem
from rogseg.workers import open_workers

__all__ = ["segment_cases"]


def segment_cases(
    system: Sequence[str | Path],
    out: str | Path,
    *,
    cases: Sequence[str] = ("validation",),
    images: Path | None = None,
    data: Path | None = None,
    task: Path | None = None,
    submission: bool = False,
    choose_postprocessing: bool = False,
    allow_seen: bool = False,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Segment and measure; see ``rogseg test --help``. What is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, wanted = make_console(), device
    device = str(choose_device(device))
    if device == "cpu":
        keep_freed_memory()
    opened = open_system(system, device=device, task_dir=task, overrides=cfg_options)
    if choose_postprocessing:
        _choose_postprocessing(opened, system, task, console)
        # The plan with the choice is part of the system.
        opened = open_system(system, device=device, task_dir=task, overrides=cfg_options)
    tested = cases_to_test(opened, ["test"] if submission else cases, data=data, task=task, images=images)
    labelled = [case.case_id for case in tested.cases if case.label is not None]
    directory = Path(out)
    remove_leftovers(directory)
    own = None if opened.config is None else opened.config.get("measures")
    measures = tuple(default_measures(opened.system) if own is None else own)
    names = SystemNames.of(system, opened.system, task=task, device=wanted, cfg_options=cfg_options)
    workers = open_workers(
        SegmentWorker(names, directory.absolute(), measures),
        num_workers=num_workers,
        cluster=cluster,
        device=wanted,
        num_gpus=num_gpus(),
    )
    with workers or contextlib.nullcontext(), ProgressDisplay("segmenting", console=console) as progress:
        records = evaluate_accuracy(
            opened.system,
            tested.cases,
            directory,
            task=tested.task,
            measures=measures,
            selection=CaseSelection(tested.rule, None),
            fold=tested.fold,
            leak=leak_of(opened, labelled, tested.task, allow_seen=allow_seen),
            workers=workers,
            on_progress=progress.update,
        )
    _conclude(records, console)
    if submission:
        console.print(f"submission: {_pack(tested.task, tested.cases, directory)}")
    return records


def _choose_postprocessing(
    opened: OpenedSystem, system: Sequence[str | Path], task: Path | None, console: Console
) -> None:
    if not isinstance(opened.system, RogsegSystem) or opened.config is None or len(system) != 2:
        raise ValueError("--choose-postprocessing: name a network of ours by its config and its checkpoint")
    choice = choose_for_checkpoint(opened.system, system[1], stored_task_dir(opened.config, task), opened.config)
    chosen = [entry.name for entry in choice.plan.classes if entry.postprocess]
    console.print(f"post-processing helps: {', '.join(chosen) or 'no class'} (recorded beside {system[1]})")


def _conclude(records: RecordFolder, console: Console) -> None:
    directory = records.directory
    if any(record.measures for record in records.clean().values()):
        write_bytes_atomic(directory / "metrics.csv", accuracy_csv(records).encode())
        write_json_atomic(directory / "summary.json", accuracy_summary(records))
        accuracy_table(records, f"{records.identity.task}, measured in the raw grid").print_to(console)
    else:
        console.print("no case has a label: predictions only")
    console.print(f"predictions and records: {directory}", markup=False)


def _pack(task_name: str, cases: Sequence[RawCase], directory: Path) -> Path:
    """The archive that the Decathlon's challenge page takes: one folder with the task's name, one file per case."""
    path = directory / f"{task_name}.zip"
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for case in cases:
            archive.write(prediction_path(directory, case.case_id), f"{task_name}/{case.case_id}.nii.gz")
    partial.replace(path)
    return path
