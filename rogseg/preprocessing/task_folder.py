"""The folder that a task is stored in: whose it is, what it was planned with, and what may be cleared from it."""

import dataclasses
import os
from collections.abc import Collection
from pathlib import Path

from rogseg.storage import (
    CASE_FILES,
    TASK_RECORD,
    RawTask,
    TaskRecord,
    foreign_entries,
    read_task_record,
    remove_known,
    remove_leftovers,
    write_task_record,
)
from rogseg.task_plan import TaskPlan

__all__ = ["claim_folder", "clear_folder", "described_changes", "kept_plan", "remember", "remove_departed"]

_FILES = ("plan.json", "fingerprint.json", "splits.json", TASK_RECORD)
_FOLDERS = ("cases", "measurements")


def claim_folder(out_dir: Path, raw_task: RawTask, plan: TaskPlan | None) -> None:
    """Make sure that a folder is free for a task, or holds the very same one; nothing is changed.

    Args:
        out_dir: the folder.
        raw_task: whose cases shall be stored there.
        plan: that they shall be made with, if one is known.

    Raises:
        ValueError: it holds another task, or files that preprocessing did not write.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise ValueError(f"{out_dir}: is a file; name a folder for the stored task")
    record = read_task_record(out_dir)
    if record is not None:
        _check_record(out_dir, record, raw_task, plan)
        return
    plan_file = out_dir / "plan.json"
    if plan_file.is_file():  # of a version that left no record
        name = TaskPlan.load(plan_file).name
        stored = {path.parent.name for path in out_dir.glob("cases/*/case.json")}
        if name != raw_task.name and not stored & {case.case_id for case in (*raw_task.training, *raw_task.test)}:
            raise ValueError(f"{out_dir}: holds the task {name!r}, not {raw_task.name!r}; name another folder")
        return
    strangers = _strangers(out_dir)
    if strangers:
        raise ValueError(
            f"{out_dir}: holds files that preprocessing did not write, such as {', '.join(strangers[:3])}; name an "
            "empty folder or one that does not exist"
        )


def _check_record(out_dir: Path, record: TaskRecord, raw_task: RawTask, plan: TaskPlan | None) -> None:
    if plan is not None and plan.name != record.task:
        raise ValueError(
            f"{out_dir}: holds the task {record.task!r}, and the plan is for {plan.name!r}; name another folder"
        )
    before = Path(record.raw)
    still_there = (before / "dataset.json").is_file() and not os.path.samefile(before, raw_task.directory)
    if before.name != raw_task.name or still_there:  # else it was moved
        raise ValueError(
            f"{out_dir}: holds the task {record.task!r} of {before}, not of {raw_task.directory}; name another folder"
        )


def _strangers(out_dir: Path) -> list[str]:
    found = foreign_entries(out_dir, (*_FILES, *_FOLDERS))
    for case in foreign_entries(out_dir / "cases", ()):
        folder = out_dir / "cases" / case
        if folder.is_dir():
            found += [f"cases/{case}/{name}" for name in foreign_entries(folder, CASE_FILES)]
        else:
            found.append(f"cases/{case}")
    found += [f"measurements/{name}" for name in foreign_entries(out_dir / "measurements", ()) if name[-5:] != ".json"]
    return found


def kept_plan(out_dir: str | Path) -> TaskPlan | None:
    """What a folder was planned with before, whether that run came to its end or not; None for a new one.

    Raises:
        ValueError: its plan or its record is damaged.
    """
    out_dir = Path(out_dir)
    if (out_dir / "plan.json").is_file():
        return TaskPlan.load(out_dir / "plan.json")
    record = read_task_record(out_dir)
    if record is None or record.finished or record.plan is None:
        return None
    try:
        return TaskPlan.from_json(record.plan)
    except ValueError as error:
        raise ValueError(f"{out_dir / TASK_RECORD}: damaged ({error}); delete it and name the plan again") from error


def remember(out_dir: Path, raw_task: RawTask, task_name: str, plan: TaskPlan | None, finished: bool = False) -> None:
    """Write down whose the folder is and what its cases are being made with."""
    record = TaskRecord(task_name, str(raw_task.directory), None if plan is None else plan.to_json(), finished)
    if read_task_record(out_dir) != record:
        write_task_record(out_dir, record)


def clear_folder(out_dir: Path) -> None:
    """Make the folders of a task and clear what killed runs left; only who holds the folder's lock may do so."""
    for folder in (out_dir, *(out_dir / name for name in _FOLDERS)):
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)


def remove_departed(out_dir: Path, case_ids: Collection[str]) -> None:
    """Drop what is stored of cases that the raw task no longer has; what somebody else put there stays."""
    for name in os.listdir(out_dir / "cases"):
        folder = out_dir / "cases" / name
        if name not in case_ids and (folder / "case.json").is_file() and not folder.is_symlink():
            remove_known(folder, CASE_FILES)
    for path in (out_dir / "measurements").glob("*.json"):
        if path.stem not in case_ids and not path.name.startswith("."):
            path.unlink()


def described_changes(old: TaskPlan, new: TaskPlan) -> str:
    """Which entries of two plans differ, and how."""
    changes = []
    for field in dataclasses.fields(TaskPlan):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            changes.append(f"{field.name} {before} -> {after}")
    return "; ".join(changes)
