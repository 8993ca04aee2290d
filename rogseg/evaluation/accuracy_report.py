"""AccuracyReport: the records of one test run, safe against kill -9 and against mixing two models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.accuracy_record import AccuracyRecord
from rogseg.evaluation.record_folder import RecordFolder

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
        self._folder = RecordFolder(directory, identity)
        parsed = [AccuracyRecord.from_line(line) for line in self._folder.lines()]
        self._records = {record.case_id: record for record in parsed}

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
            raise ValueError(f"{self._folder.directory}: case {record.case_id} is already there")
        self._folder.append(record.to_line())
        self._records[record.case_id] = record
