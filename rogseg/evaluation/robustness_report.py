"""RobustnessReport: the records of one evaluation, safe against kill -9 and against mixing."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord

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
        self.directory = Path(directory)
        self._header_path = self.directory / "header.json"
        self._records_path = self.directory / "records.jsonl"
        self.header = self._open_header(identity, environment)
        self._records: dict[tuple[str, str, float], CaseRecord] = {}
        self._load()

    def _open_header(self, identity: Mapping[str, Any] | None, environment: Mapping[str, Any] | None) -> dict[str, Any]:
        if self._header_path.exists():
            header: dict[str, Any] = json.loads(self._header_path.read_text())
            if identity is not None:
                _check_same_identity(header["identity"], identity, self.directory)
            return header
        if identity is None:
            raise ValueError(f"{self.directory}: no header.json here; name the --out folder of tools/attack.py")
        self.directory.mkdir(parents=True, exist_ok=True)
        header = {"identity": json.loads(json.dumps(identity)), "environment": dict(environment or {})}
        temporary = self._header_path.with_suffix(".tmp")
        with temporary.open("w") as file:
            json.dump(header, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._header_path)
        return header

    def _load(self) -> None:
        if not self._records_path.exists():
            return
        content = self._records_path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self._records_path.open("r+b") as file:
                file.truncate(len(whole))
        for line in whole.decode().splitlines():
            record = CaseRecord.from_line(line)
            self._records[record.key] = record

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
        with self._records_path.open("a") as file:
            file.write(record.to_line() + "\n")
            file.flush()
            os.fsync(file.fileno())
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
            _check_same_identity(parts[0].header["identity"], part.header["identity"], part.directory)
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


def _check_same_identity(stored: Mapping[str, Any], wanted: Mapping[str, Any], directory: Path) -> None:
    wanted = json.loads(json.dumps(wanted))
    differing = sorted(key for key in {*stored, *wanted} if stored.get(key) != wanted.get(key))
    if differing:
        details = "; ".join(f"{key}: {stored.get(key)!r} there, {wanted.get(key)!r} now" for key in differing)
        raise ValueError(f"{directory}: its records belong to another evaluation ({details}); give another --out")
