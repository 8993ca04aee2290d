"""A preprocessed task on disk: its plan, its fingerprint, its folds and its cases."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rogseg.storage.atomic import write_json_atomic
from rogseg.storage.splits import Fold
from rogseg.storage.stored_case import StoredCase
from rogseg.task_plan import TaskPlan

__all__ = ["StoredTask", "write_folds", "write_plan"]


class StoredTask:
    """The folder that ``tools/preprocess.py`` fills: ``plan.json``, ``fingerprint.json``, ``splits.json``, ``cases/``.

    Raises:
        ValueError: the folder holds no plan.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "plan.json").is_file():
            raise ValueError(f"{self.directory}: not a stored task (no plan.json); run tools/preprocess.py first")

    @functools.cached_property
    def plan(self) -> TaskPlan:
        """The plan that the cases were made with."""
        return TaskPlan.load(self.directory / "plan.json")

    @functools.cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What was measured on the raw cases."""
        content: dict[str, Any] = self._read("fingerprint.json")
        return content

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The stored cases, sorted."""
        return tuple(sorted(path.parent.name for path in (self.directory / "cases").glob("*/case.json")))

    def case(self, case_id: str) -> StoredCase:
        """One stored case.

        Raises:
            ValueError: it is not there.
        """
        return StoredCase(self.case_directory(case_id))

    def case_directory(self, case_id: str) -> Path:
        """Where a case is stored or goes."""
        return self.directory / "cases" / case_id

    @property
    def num_folds(self) -> int:
        """How many folds the cases are split into."""
        return len(self._read("splits.json")["folds"])

    def folds(self, fold: int) -> Fold:
        """The cases of one fold, counted from 0.

        Raises:
            ValueError: there is no such fold.
        """
        entries = self._read("splits.json")["folds"]
        if not 0 <= fold < len(entries):
            raise ValueError(
                f"{self.directory / 'splits.json'}: no fold {fold}; there are folds 0 to {len(entries) - 1}"
            )
        return Fold(tuple(entries[fold]["train"]), tuple(entries[fold]["validation"]))

    def _read(self, name: str) -> Any:
        path = self.directory / name
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError) as error:
            raise ValueError(f"{path}: cannot be read ({error}); run tools/preprocess.py again") from error


def write_plan(directory: str | Path, plan: TaskPlan) -> None:
    """Write ``plan.json``, atomically."""
    write_json_atomic(Path(directory) / "plan.json", {"task": plan.to_json()})


def write_folds(directory: str | Path, folds: Sequence[Fold]) -> None:
    """Write ``splits.json``, atomically."""
    write_json_atomic(Path(directory) / "splits.json", {"folds": [dataclasses.asdict(fold) for fold in folds]})
