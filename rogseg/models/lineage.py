"""Where a network comes from: what it was trained or hardened on, and what therefore cannot be reported on."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from rogseg.foreign import decode, read_json
from rogseg.task_plan import TaskPlan

__all__ = ["HARDENING_FILE", "HardeningLineage", "Lineage", "read_hardening"]

HARDENING_FILE = "rogseg_hardening.json"


@dataclasses.dataclass(frozen=True)
class Lineage:
    """What a checkpoint records of its training.

    Args:
        plan: of the task, as JSON data.
        training: cases that the weights were fitted to.
        selection: cases that chose the checkpoint.
        validation: cases of the fold that neither decided; they may be reported on.
        fold: counted from 0.
        seed: of all randomness, the choice of the selection cases included.
        config: digest of all settings of the training.
        data: digest of the raw files of the training and selection cases.
        inherited: cases that the weights it started from had seen before, whatever fold they were of.
        start: file that it started from; None is from scratch.
        is_start_known: False where that file did not say what it had been trained on.
    """

    plan: dict[str, Any]
    training: tuple[str, ...]
    selection: tuple[str, ...]
    validation: tuple[str, ...]
    fold: int
    seed: int
    config: str
    data: str = ""
    inherited: tuple[str, ...] = ()
    start: str | None = None
    is_start_known: bool = True

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.plan["name"])

    @property
    def task_plan(self) -> TaskPlan:
        """The plan as such."""
        return TaskPlan.from_json(self.plan)

    @property
    def seen(self) -> frozenset[str]:
        """Every case that had a part in the weights or in their choice."""
        return frozenset((*self.training, *self.selection, *self.inherited))

    def seen_of(self, case_ids: Iterable[str], task: str) -> tuple[str, ...]:
        """Those of some cases of a task that must not be reported on as if they were new, sorted."""
        return tuple(sorted(self.seen & set(case_ids))) if task == self.task else ()

    def seen_names(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Those that are called as a case that it has seen, whatever the task is called, sorted."""
        return tuple(sorted(self.seen & set(case_ids)))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str) -> Self:
        """Rebuild it.

        Args:
            data: what `to_json` gave.
            where: what messages call it.

        Raises:
            ValueError: a key is missing, unknown or of another type, or the plan is none.
        """
        lineage = decode(data, cls, where)
        try:
            lineage.task_plan  # noqa: B018 (raises where it is no plan)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{where}: plan: {error}") from error
        return lineage


@dataclasses.dataclass(frozen=True)
class HardeningLineage:
    """The record of a hardening.

    Args:
        task: name of the task whose cases it took.
        training: cases that the weights were fitted to.
        selection: cases that were looked at before and after.
        validation: cases of the fold that had no part; they may be reported on.
        fold: counted from 0.
        data: SHA-256 of the raw files of the training and selection cases.
        start: name and SHA-256 of the system that it began from.
        inherited: task -> cases that the start had been hardened on before.
        is_start_known: False where nothing says what the start was trained on.
        settings: everything else that the weights depend on; JSON data.
        looks: the cases that were looked at, with Dice before and after; JSON data.
        versions: of the packages.
    """

    task: str
    training: tuple[str, ...]
    selection: tuple[str, ...]
    validation: tuple[str, ...]
    fold: int
    data: dict[str, str]
    start: tuple[str, str]
    inherited: dict[str, tuple[str, ...]]
    is_start_known: bool
    settings: dict[str, Any]
    looks: dict[str, Any]
    versions: dict[str, str]

    @property
    def seen(self) -> dict[str, tuple[str, ...]]:
        """By task: every case that had a part in the weights, or was looked at."""
        own = {*self.training, *self.selection, *self.inherited.get(self.task, ())}
        return {**self.inherited, self.task: tuple(sorted(own))}

    def seen_of(self, case_ids: Iterable[str], task: str) -> tuple[str, ...]:
        """Those of some cases of a task that must not be reported on as if they were new, sorted."""
        return tuple(sorted(set(self.seen.get(task, ())) & set(case_ids)))

    def seen_names(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Those that are called as a case that it has seen, whatever the task is called, sorted."""
        return tuple(sorted(set().union(*self.seen.values()) & set(case_ids)))

    def to_json(self) -> Mapping[str, Any]:
        """As plain JSON data."""
        return dataclasses.asdict(self)


def read_hardening(folder: Path) -> HardeningLineage | None:
    """The record in a system's folder; None where it was not hardened.

    Raises:
        ValueError: it is damaged.
    """
    path = folder / HARDENING_FILE
    if not path.is_file():
        return None
    return decode(
        read_json(path, "fetch the file again; without it nobody knows what was trained on"),
        HardeningLineage,
        str(path),
    )
