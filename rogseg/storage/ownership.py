"""Whose a folder is: what preprocessing wrote may be replaced by it, what anybody else put there never."""

import contextlib
import dataclasses
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rogseg.foreign import decode, read_json
from rogseg.storage.atomic import PARTIAL_PREFIX, write_json_atomic
from rogseg.storage.folder_lock import LOCK_FILE

__all__ = ["TASK_RECORD", "TaskRecord", "foreign_entries", "read_task_record", "remove_known", "write_task_record"]

TASK_RECORD = "stored_task.json"
_DESKTOP = (".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave behind wherever they look


@dataclasses.dataclass(frozen=True)
class TaskRecord:
    """What ``stored_task.json`` says: which task a folder is for.

    Args:
        task: name of the task.
        raw: absolute path of the raw task folder.
        plan: what the cases are being made with, so that a run that was killed goes on with the same; None while it
            is not known.
        finished: whether the run came to its end, after which ``plan.json`` alone says what the plan is.
    """

    task: str
    raw: str
    plan: dict[str, Any] | None
    finished: bool


def read_task_record(directory: Path) -> TaskRecord | None:
    """The record of a folder; None where it has none.

    Raises:
        ValueError: it is damaged.
    """
    path = directory / TASK_RECORD
    if not path.exists():
        return None
    remedy = "name another folder, or delete this file if the folder is a stored task"
    content = read_json(path, remedy)
    try:
        return decode(content, TaskRecord, "the record")
    except ValueError as error:
        raise ValueError(f"{path}: damaged ({error}); {remedy}") from error


def write_task_record(directory: Path, record: TaskRecord) -> None:
    """Say whose a folder is."""
    write_json_atomic(directory / TASK_RECORD, dataclasses.asdict(record))


def foreign_entries(directory: Path, known: Collection[str]) -> list[str]:
    """The names in a folder that are none of ours, sorted; none where there is no folder."""
    if not directory.is_dir():
        return []
    return sorted(name for name in os.listdir(directory) if name not in known and not _is_ours(name))


def remove_known(directory: Path, known: Collection[str]) -> None:
    """Remove the files of ours from a folder, and the folder where nothing else is in it."""
    for name in known:
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # somebody's file is in it
        directory.rmdir()


def _is_ours(name: str) -> bool:
    return name in _DESKTOP or name == LOCK_FILE or name.startswith(("._", PARTIAL_PREFIX))
