"""RobustnessReport: the records of one evaluation, safe against kill -9 and against mixing."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["RobustnessReport"]


class RobustnessReport:
    """A folder with ``header.json`` (what was evaluated) and ``records.jsonl`` (a line per case, attack, epsilon).

    A line is on disk before `add` returns; a line that a kill tore is dropped when the folder is opened again.

    Args:
        directory: where the files lie; made if absent.
        identity: what must agree for records to belong together: model, plan, threat model, protocol, cases, seed.
            JSON data. None opens what is there.
        environment: versions and machine, written beside the identity, not compared.

    Raises:
        ValueError: the folder holds records of another identity, or none although identity is None.
    """

    def __init__(
        self,
        directory: str | Path,
        identity: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self._folder = RecordFolder(directory, identity, environment)
        self.directory, self.header = self._folder.directory, self._folder.header
        parsed = [CaseRecord.from_line(line) for line in self._folder.lines()]
        self._records = {record.key: record for record in parsed}

    @property
    def records(self) -> tuple[CaseRecord, ...]:
        """All records in a fixed order: by epsilon, attack and case."""
        return tuple(sorted(self._records.values(), key=lambda record: (record.epsilon, record.attack, record.case_id)))

    def has(self, case_id: str, attack: str, epsilon: float) -> bool:
        """Whether this case was done under this attack."""
        return (case_id, attack, epsilon) in self._records

    def add(self, record: CaseRecord) -> None:
        """Append a record; it is on disk when this returns.

        Raises:
            ValueError: the record is already there.
        """
        if record.key in self._records:
            raise ValueError(f"{self.directory}: a record of {record.key} is already there")
        self._folder.append(record.to_line())
        self._records[record.key] = record

    def clean(self) -> dict[str, CaseRecord]:
        """The clean record of each case."""
        return {record.case_id: record for record in self.records if record.attack == CLEAN}

    def epsilons(self) -> tuple[float, ...]:
        """The epsilons that were attacked, ascending."""
        return tuple(sorted({record.epsilon for record in self._records.values() if record.attack != CLEAN}))

    def attacks(self) -> tuple[str, ...]:
        """The attacks with records, in the order of their first record; a composite counts by its members."""
        names = dict.fromkeys(record.attack for record in self._records.values())
        return tuple(name for name in names if name not in (CLEAN, WORST_CASE))

    def under(self, attack: str, epsilon: float) -> dict[str, CaseRecord]:
        """The record of each case under one attack at one epsilon."""
        return {r.case_id: r for r in self.records if r.attack == attack and r.epsilon == epsilon}

    @classmethod
    def merge(cls, directories: Iterable[str | Path], out: str | Path) -> "RobustnessReport":
        """Gather the shards of one evaluation in a new folder.

        Raises:
            ValueError: the shards differ in identity, or disagree on a record.
        """
        parts = [cls(directory) for directory in directories]
        merged = cls(out, parts[0].header["identity"], parts[0].header["environment"])
        for part in parts:
            merged._folder.check_identity(part.header["identity"])
            for record in part.records:
                if not merged.has(*record.key):
                    merged.add(record)
                elif _without_time(merged._records[record.key]) != _without_time(record):
                    raise ValueError(f"{part.directory}: its record of {record.key} differs from another shard's")
        return merged


def _without_time(record: CaseRecord) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(record.to_line())
    del data["seconds"]
    return data
