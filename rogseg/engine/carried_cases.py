"""CarriedCases: what of a source of cases travels to a worker, which reads the same files."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

from rogseg.storage import RawCase
from rogseg.systems import CaseSource, RawCases, StoredCases, System

__all__ = ["CarriedCases"]


@dataclasses.dataclass(frozen=True)
class CarriedCases:
    """Cases by the names of their files, which lie where each worker sees them, under the same path.

    Args:
        cases: a stored task, or raw cases by their ids.
        task: its name.
    """

    cases: StoredCases | Mapping[str, RawCase]
    task: str

    @classmethod
    def of(cls, source: CaseSource, case_ids: Sequence[str]) -> Self:
        """Some cases of a source.

        Raises:
            ValueError: its cases are in this process alone.
        """
        if isinstance(source, StoredCases):
            return cls(source, source.task)
        if isinstance(source, RawCases):
            return cls({case_id: source.raw(case_id) for case_id in case_ids}, source.task)
        raise ValueError(f"{source.task}: its cases are in this process alone, where no worker can read them")

    def open(self, system: System) -> CaseSource:
        """The source again, for a system that the worker opened."""
        if isinstance(self.cases, StoredCases):
            return self.cases
        return RawCases(system, tuple(self.cases.values()), self.task)
