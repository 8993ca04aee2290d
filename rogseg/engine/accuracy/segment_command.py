"""What the command ``test`` does: open a system, segment raw cases, measure them and report."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rogseg.engine.accuracy.accuracy import evaluate_accuracy
from rogseg.engine.accuracy.case_segmenter import SegmentWorker, prediction_path, probabilities_path
from rogseg.engine.accuracy.postprocessing_choice import choose_for_checkpoint
from rogseg.engine.accuracy.raw_grid import measures_for
from rogseg.engine.case_finding import cases_to_test
from rogseg.engine.case_selection import selection_of, spread
from rogseg.engine.case_workers import SystemNames, workers_at
from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.console import make_console
from rogseg.engine.model.fold_networks import fold_checkpoints
from rogseg.engine.model.open_system import OpenedSystem, leak_of
from rogseg.engine.reporting import conclude_accuracy, conclude_folds, tell_left_out
from rogseg.engine.stored_task import stored_task_dir
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.shipped_configs import find_config
from rogseg.storage import RawCase, StoredTask, remove_leftovers, write_bytes_atomic
from rogseg.systems import RogsegSystem, System

__all__ = ["segment_all_folds", "segment_cases"]


def segment_cases(
    system: Sequence[str | Path],
    out: str | Path,
    *,
    cases: Sequence[str] = ("validation",),
    max_cases: int | None = None,
    case_seed: int = 0,
    images: Path | None = None,
    data: Path | None = None,
    task: Path | None = None,
    submission: bool = False,
    choose_postprocessing: bool = False,
    allow_seen: bool = False,
    save_probabilities: bool = False,
    num_workers: int | None = None,
    cluster: str | None = None,
    trust: bool = False,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Segment and measure; see ``rogseg test --help``. What is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, asked = make_console(), SystemNames(system, task, device, cfg_options, trust)
    opened = asked.open()
    if choose_postprocessing:
        _choose_postprocessing(opened, system, task, console)
        # The plan with the choice is part of the system.
        opened = asked.open()
    _refuse_wishes(opened, save_probabilities)
    tested = cases_to_test(opened, ["test"] if submission else cases, data=data, task=task, images=images)
    by_id = {case.case_id: case for case in tested.cases}
    chosen = [by_id[case_id] for case_id in spread(tuple(by_id), max_cases, case_seed)]
    labelled = [case.case_id for case in chosen if case.label is not None]
    directory = Path(out)
    for folder in (directory, *(path(directory, "").parent for path in (prediction_path, probabilities_path))):
        remove_leftovers(folder)
    tell_left_out(tested.left_out, console)
    measures = measures_for(opened.system, opened.measures)
    worker = SegmentWorker(asked.of(opened.system, measures), directory.absolute(), measures, save_probabilities)
    with workers_at("segmenting", worker, asked.device, num_workers, cluster, console) as (workers, progress):
        records = evaluate_accuracy(
            opened.system,
            chosen,
            directory,
            task=tested.task,
            measures=measures,
            selection=selection_of(max_cases, case_seed, tested.rule),
            fold=tested.fold,
            leak=leak_of(opened, labelled, tested.task, allow_seen=allow_seen),
            save_probabilities=save_probabilities,
            workers=workers,
            on_progress=progress.update,
        )
    conclude_accuracy(records, console)
    if submission:
        console.print(f"submission: {_pack(tested.task, chosen, directory)}")
    return records


def segment_all_folds(
    system: Sequence[str | Path],
    out: str | Path,
    *,
    task: Path | None = None,
    cfg_options: Sequence[str] = (),
    **options: Any,
) -> tuple[RecordFolder, ...]:
    """Cross-validation: the network of each fold on the cases that it was held out of, and one summary.

    Args:
        system: the config, and the folder that holds the trainings of all folds.
        out: gets a folder per fold, ``summary.json`` and ``table.md``.
        task: folder of the stored task.
        cfg_options: ``key=value`` for keys of the config.
        options: the others of `segment_cases`.

    Raises:
        ValueError: a fold has no network, or as `segment_cases`.
    """
    if len(system) != 2 or not Path(system[1]).is_dir():
        raise ValueError("--fold all: name the config and the folder that holds the trainings of all folds")
    config = load_config(find_config(str(system[0])), list(cfg_options), task)
    checkpoints = fold_checkpoints(system[1], plan_of(config).name)
    number = StoredTask(stored_task_dir(config, task)).num_folds
    missing = sorted(set(range(number)) - set(checkpoints))
    if missing:
        raise ValueError(
            f"{system[1]}: the task has {number} folds, of which {', '.join(map(str, missing))} were not trained: "
            "rogseg train CONFIG --fold all goes on with them"
        )
    folds = tuple(
        segment_cases(
            [system[0], checkpoints[fold]],
            Path(out) / f"fold_{fold}",
            task=task,
            cfg_options=[*cfg_options, f"fold={fold}"],
            **options,
        )
        for fold in range(number)
    )
    conclude_folds(folds, Path(out), make_console())
    return folds


def _refuse_wishes(opened: OpenedSystem, save_probabilities: bool) -> None:
    """What this system cannot do is told before the first case."""
    name, kind = opened.system.identity.name, opened.system.identity.kind
    if save_probabilities and type(opened.system).raw_probabilities is System.raw_probabilities:
        raise ValueError(
            f"--save-probabilities: {name} is of kind {kind!r}, which gives label maps alone; leave it out"
        )


def _choose_postprocessing(
    opened: OpenedSystem, system: Sequence[str | Path], task: Path | None, console: Console
) -> None:
    is_checkpoint = len(system) == 2 and not Path(system[1]).is_dir()
    if not isinstance(opened.system, RogsegSystem) or opened.config is None or not is_checkpoint:
        raise ValueError("--choose-postprocessing: name a network of ours by its config and its checkpoint")
    choice = choose_for_checkpoint(opened.system, system[1], stored_task_dir(opened.config, task), opened.config)
    chosen = [entry.name for entry in choice.plan.classes if entry.postprocess]
    console.print(f"post-processing helps: {', '.join(chosen) or 'no class'} (recorded beside {system[1]})")


def _pack(task_name: str, cases: Sequence[RawCase], directory: Path) -> Path:
    """The archive that the Decathlon's challenge page takes: one folder with the task's name, one file per case."""
    path = directory / f"{task_name}.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for case in cases:
            archive.write(prediction_path(directory, case.case_id), f"{task_name}/{case.case_id}.nii.gz")
    write_bytes_atomic(path, packed.getvalue())
    return path
