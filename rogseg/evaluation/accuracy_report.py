"""AccuracyReport: the records of one test run, safe against kill -9 and against mixing two models."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.accuracy_record import AccuracyRecord

__all__ = ["AccuracyReport"]


class AccuracyReport:
    """A folder with ``header.json`` (what was tested) and ``records.jsonl`` (a line per case).

    A line is on disk before `add` returns; what a kill tore off is dropped when the folder is opened again.

    Args:
        directory: where the files lie; made if absent.
        identity: what must agree for cases to belong together: checkpoint, plan, window. JSON data.

    Raises:
        ValueError: the folder holds the results of something else.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any]) -> None:
        self._records_path = directory / "records.jsonl"
        header_path = directory / "header.json"
        identity = json.loads(json.dumps(identity))
        if header_path.exists():
            _check_identity(json.loads(header_path.read_text()), identity, directory)
        else:
            directory.mkdir(parents=True, exist_ok=True)
            temporary = header_path.with_suffix(".tmp")
            with temporary.open("w") as file:
                file.write(json.dumps(identity, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(header_path)
        self._records: dict[str, AccuracyRecord] = {}
        self._load()

    def _load(self) -> None:
        if not self._records_path.exists():
            return
        content = self._records_path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self._records_path.open("r+b") as file:
                file.truncate(len(whole))
        for line in whole.decode().splitlines():
            record = AccuracyRecord.from_line(line)
            self._records[record.case_id] = record

    @property
    def records(self) -> tuple[AccuracyRecord, ...]:
        """All records, by case."""
        return tuple(self._records[case_id] for case_id in sorted(self._records))

    def has(self, case_id: str) -> bool:
        """Whether a case was measured."""
        return case_id in self._records

    def add(self, record: AccuracyRecord) -> None:
        """Append a record; it is on disk when this returns.

        Raises:
            ValueError: the case is already there.
        """
        if self.has(record.case_id):
            raise ValueError(f"{self._records_path}: case {record.case_id} is already there")
        with self._records_path.open("a") as file:
            file.write(record.to_line() + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._records[record.case_id] = record


def _check_identity(present: Mapping[str, Any], wanted: Mapping[str, Any], directory: Path) -> None:
    differing = sorted(key for key in {*present, *wanted} if present.get(key) != wanted.get(key))
    if differing:
        raise ValueError(
            f"{directory} holds the results of another run (they differ in {', '.join(differing)}): "
            "name another --out folder, or delete this one"
        )
