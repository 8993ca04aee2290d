"""Where a network comes from: what it was trained on, and what therefore cannot be reported on."""

import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Self

from rogseg.foreign import decode
from rogseg.task_plan import TaskPlan

__all__ = ["Lineage", "SeenCases", "united"]

SAME_TASK = ""


class SeenCases(ABC):
    """A record of a training: which cases had a part in the weights or in their choice, by task."""

    @property
    @abstractmethod
    def seen(self) -> dict[str, tuple[str, ...]]:
        """Task -> its cases, sorted, those that the weights it started from had seen included."""

    def seen_of(self, case_ids: Iterable[str], task: str) -> tuple[str, ...]:
        """Those of some cases of a task that must not be reported on as if they were new, sorted."""
        return tuple(sorted(set(self.seen.get(task, ())) & set(case_ids)))

    def seen_names(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Those that are called as a case that it has seen, whatever the task is called, sorted."""
        return tuple(sorted(set().union(*self.seen.values()) & set(case_ids)))


@dataclasses.dataclass(frozen=True)
class Lineage(SeenCases):
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
        inherited: task -> cases that the weights it started from had seen before, whatever fold they were of.
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
    inherited: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
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
    def seen(self) -> dict[str, tuple[str, ...]]:
        """Task -> its cases, sorted, those that the weights it started from had seen included."""
        return united([self.inherited, {self.task: (*self.training, *self.selection)}])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str) -> Self:
        """Rebuild it.

        Args:
            data: what `to_json` gave.
            where: what messages call it.

        Raises:
            ValueError: a key is missing, unknown or of another type, or the plan is none.
        """
        known = decode(data, dict[str, Any], where)
        if isinstance(known.get("inherited"), list):  # written when only cases of the same task were kept
            known["inherited"] = {SAME_TASK: known["inherited"]}
        lineage = decode(known, cls, where)
        try:
            lineage.task_plan  # noqa: B018 (raises where it is no plan)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{where}: plan: {error}") from error
        same = lineage.inherited.get(SAME_TASK)
        return lineage if same is None else dataclasses.replace(lineage, inherited={lineage.task: same})


def united(seen: Iterable[Mapping[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """Task -> all cases that any of some records names of it, sorted."""
    cases: dict[str, set[str]] = {}
    for record in seen:
        for task, names in record.items():
            cases.setdefault(task, set()).update(names)
    return {task: tuple(sorted(names)) for task, names in sorted(cases.items()) if names}
