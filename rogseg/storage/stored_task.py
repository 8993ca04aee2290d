"""A preprocessed task on disk: its plan, its fingerprint, its folds and its cases."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rogseg.foreign import checked_name, decode, read_json
from rogseg.storage.atomic import write_json_atomic
from rogseg.storage.splits import Fold
from rogseg.storage.stored_case import StoredCase
from rogseg.task_plan import TaskPlan

__all__ = ["StoredTask", "read_folds", "write_folds", "write_plan"]

_REMEDY = "run rogseg preprocess again"


class StoredTask:
    """The folder that ``rogseg preprocess`` fills: ``plan.json``, ``fingerprint.json``, ``splits.json``, ``cases/``.

    Raises:
        ValueError: the folder holds no plan.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "plan.json").is_file():
            raise ValueError(f"{self.directory}: not a stored task (no plan.json); run rogseg preprocess first")

    @functools.cached_property
    def plan(self) -> TaskPlan:
        """The plan that the cases were made with."""
        return TaskPlan.load(self.directory / "plan.json")

    @functools.cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What was measured on the raw cases."""
        path = self.directory / "fingerprint.json"
        content = read_json(path, _REMEDY)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: must hold an object, not {type(content).__name__}; {_REMEDY}")
        return content

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The stored cases, sorted."""
        found = (path.parent.name for path in (self.directory / "cases").glob("*/case.json"))
        return tuple(sorted(name for name in found if not name.startswith(".")))

    def case(self, case_id: str) -> StoredCase:
        """One stored case.

        Raises:
            ValueError: it is not there.
        """
        return StoredCase(self.case_directory(case_id))

    def case_directory(self, case_id: str) -> Path:
        """Where a case is stored or goes.

        Raises:
            ValueError: the id would lead out of the folder.
        """
        return self.directory / "cases" / checked_name(case_id, "a case id")

    @property
    def num_folds(self) -> int:
        """How many folds the cases are split into."""
        return len(self._folds)

    def folds(self, fold: int) -> Fold:
        """The cases of one fold, counted from 0.

        Raises:
            ValueError: there is no such fold.
        """
        folds = self._folds
        if not 0 <= fold < len(folds):
            raise ValueError(f"{self.directory / 'splits.json'}: no fold {fold}; there are folds 0 to {len(folds) - 1}")
        return folds[fold]

    @functools.cached_property
    def _folds(self) -> tuple[Fold, ...]:
        return read_folds(self.directory)


def write_plan(directory: str | Path, plan: TaskPlan) -> None:
    """Write ``plan.json``, atomically."""
    write_json_atomic(Path(directory) / "plan.json", {"task": plan.to_json()})


def read_folds(directory: str | Path) -> tuple[Fold, ...]:
    """What ``splits.json`` says.

    Raises:
        ValueError: it is missing or damaged, or a fold has a case on both sides.
    """
    path = Path(directory) / "splits.json"
    remedy = "bring it back from a copy; if no network was trained on this split, delete it and preprocess again"
    content = read_json(path, "run rogseg preprocess again" if not path.exists() else remedy)
    try:
        if not isinstance(content, dict) or set(content) != {"folds"}:
            raise ValueError("it must hold one key, folds")
        folds = decode(content["folds"], tuple[Fold, ...], "folds")
        if not folds:
            raise ValueError("it holds no fold")
        for fold in folds:
            for case_id in (*fold.train, *fold.validation):
                checked_name(case_id, "a case id")
    except ValueError as error:
        raise ValueError(f"{path}: damaged ({error}); {remedy}") from error
    return folds


def write_folds(directory: str | Path, folds: Sequence[Fold]) -> None:
    """Write ``splits.json``, atomically."""
    entries = []
    for fold in folds:
        entry = dataclasses.asdict(fold)
        if not fold.added:  # as it was written before cases could join
            del entry["added"]
        entries.append(entry)
    write_json_atomic(Path(directory) / "splits.json", {"folds": entries})
