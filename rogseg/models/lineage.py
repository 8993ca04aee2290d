"""Where a network comes from: what it was trained on, and what therefore cannot be reported on."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Self

from rogseg.foreign import decode
from rogseg.task_plan import TaskPlan

__all__ = ["Lineage"]


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
