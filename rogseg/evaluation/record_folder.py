"""RecordFolder: the records of one evaluation on disk, safe against kill -9 and against mixing with another."""

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.identity_differences import differences
from rogseg.evaluation.legacy_identity import is_legacy_header, read_legacy_identity
from rogseg.evaluation.record_file import HEADER, RecordFile, read_header, write_header
from rogseg.evaluation.strangers import why_strangers

__all__ = ["RecordFolder"]

MAX_DIFFERENCES = 5  # that a message lists
MAX_LISTED = 10  # of the evaluations in a folder that is none
MAX_DEPTH = 3  # of folders in which they are looked for
WRITTEN = (
    "predictions", "probabilities", "volumes", "votes", "adversarial", "table.md", "sanity.json", "metrics.csv",
    "summary.json", "dice_over_epsilon.png", "examples.png", "corruptions.png", "corruptions.svg",
)  # fmt: skip
"""What evaluations leave beside their records."""


class RecordFolder:
    """A folder with ``header.json`` (what was evaluated) and ``records.jsonl`` (a line per case and condition).

    Args:
        directory: where the files lie; made if absent.
        identity: what must agree for records to belong together; None opens what is there.
        environment: versions and machine, written beside the identity and not compared.

    Raises:
        ValueError: the folder holds records of another evaluation, or damaged ones, or no header, or files of somebody
            else under names that an evaluation writes.
    """

    def __init__(
        self,
        directory: str | Path,
        identity: EvaluationIdentity | None = None,
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = Path(directory)
        self._header_path = self.directory / HEADER
        records_path = self.directory / "records.jsonl"
        if not self._header_path.exists():
            self._begin(records_path, identity, environment)
        self.environment: Mapping[str, Any]
        content, self.environment = read_header(self._header_path)
        legacy = is_legacy_header(content)
        self._file = RecordFile(records_path, checked=not legacy)
        self._records = self._read_records()
        self.identity = self._read_identity(content, legacy)
        if why := why_strangers(self.identity, self.as_made):
            raise ValueError(f"{records_path}: {why}; put the {HEADER} back that belongs to it, or give another --out")
        if identity is not None:
            self._take_mended_cases(identity)
            self.check_identity(identity)

    def _begin(
        self, records_path: Path, identity: EvaluationIdentity | None, environment: Mapping[str, Any] | None
    ) -> None:
        """Write the first header. Where another process was faster, its header stands, and is compared as any other."""
        if records_path.exists():
            raise ValueError(
                f"{self.directory}: records.jsonl lies here without header.json, so nothing says what its records are "
                "of; put the header back, or give another --out"
            )
        if identity is None:
            raise ValueError(f"{self.directory}: {_without_header(self.directory)}")
        _refuse_files_of_others(self.directory)
        with contextlib.suppress(FileExistsError):
            write_header(self._header_path, identity.to_json(), environment or {}, is_first=True)

    def check_identity(self, identity: EvaluationIdentity) -> None:
        """Refuse to mix with records of another evaluation; the one place where identities are compared.

        Raises:
            ValueError: the identities differ; the message says in what.
        """
        if self.identity.is_legacy:
            raise ValueError(
                f"{self.directory}: its records were written by an older version, which did not note all that they "
                "depend on; they can be reported on, not added to: give another --out"
            )
        found = differences(self.identity, identity)
        if found:
            more = f"; and {len(found) - MAX_DIFFERENCES} more" if len(found) > MAX_DIFFERENCES else ""
            raise ValueError(
                f"{self.directory}: its records belong to another evaluation "
                f"({'; '.join(found[:MAX_DIFFERENCES])}{more}); give another --out, or remove this folder to do it anew"
            )

    def settle_mu(self, mu: float) -> None:
        """Note the mean clean Dice that the criterion asks for, once the clean cases are measured.

        Raises:
            ValueError: another mu is noted already.
        """
        criterion = self.identity.criterion
        if criterion is None:
            raise ValueError(f"{self.directory}: an evaluation without a criterion has no mu")
        if criterion.mu is None:
            self.identity = dataclasses.replace(self.identity, criterion=dataclasses.replace(criterion, mu=mu))
            self._write_header()
        elif criterion.mu != mu:
            raise ValueError(f"{self.directory}: criterion.mu: {criterion.mu} there, {mu} now; give another --out")

    @property
    def mu(self) -> float | None:
        """The mean clean Dice that the criterion asks for; None where it is not known yet, or not asked for."""
        return None if self.identity.criterion is None else self.identity.criterion.mu

    @property
    def as_made(self) -> tuple[CaseRecord, ...]:
        """All records in the order in which they were made, which is that of the members of an ensemble."""
        return tuple(self._records.values())

    @property
    def records(self) -> tuple[CaseRecord, ...]:
        """All records in a fixed order: by strength, condition and case."""
        return tuple(sorted(self._records.values(), key=lambda one: (one.strength, one.condition, one.case_id)))

    def has(self, case_id: str, condition: str, strength: float) -> bool:
        """Whether this case was done under this condition."""
        return (case_id, condition, strength) in self._records

    def add(self, record: CaseRecord) -> None:
        """Append a record; it is on disk when this returns.

        Raises:
            ValueError: the record is already there, or the folder is of an older version.
        """
        if record.key in self._records:
            raise ValueError(f"{self.directory}: a record of {record.key} is already there")
        if self.identity.is_legacy:
            self.check_identity(self.identity)
        ours = dataclasses.replace(record, made_by=self.identity.key)
        self._file.append(ours.to_line())
        self._records[record.key] = ours

    def clean(self) -> dict[str, CaseRecord]:
        """The clean record of each case."""
        return self.under(CLEAN, 0.0)

    def strengths(self) -> tuple[float, ...]:
        """The epsilons or severities that have records, ascending."""
        return tuple(sorted({record.strength for record in self._records.values() if record.condition != CLEAN}))

    @property
    def key(self) -> str:
        """The key that all records bear, `EvaluationIdentity.key`; empty where some are of an older version."""
        keys = {record.made_by for record in self._records.values()}
        return next(iter(keys)) or "" if len(keys) == 1 else ""

    def conditions(self) -> tuple[str, ...]:
        """The attacks or corruptions with records, by their first one; a composite counts by its members."""
        names = dict.fromkeys(record.condition for record in self._records.values())
        return tuple(name for name in names if name not in (CLEAN, WORST_CASE))

    def under(self, condition: str, strength: float) -> dict[str, CaseRecord]:
        """The record of each case under one condition."""
        return {one.case_id: one for one in self.records if one.condition == condition and one.strength == strength}

    def _take_mended_cases(self, identity: EvaluationIdentity) -> None:
        """A case without a record may have other files now: nothing that is here depends on the old ones."""
        recorded = {case_id for case_id, _, _ in self._records}
        mended = {case_id: now for case_id, now in identity.data.items() if case_id not in recorded}
        data = {case_id: mended.get(case_id, there) for case_id, there in self.identity.data.items()}
        if data != self.identity.data and set(data) == set(identity.data) and not self.identity.is_legacy:
            taken = dataclasses.replace(self.identity, data=data)
            if not differences(taken, identity):
                self.identity = taken
                self._write_header()

    def _read_identity(self, content: Mapping[str, Any], legacy: bool) -> EvaluationIdentity:
        try:
            if legacy:
                return read_legacy_identity(content, self.environment.get("rogseg"), self.records)
            return EvaluationIdentity.from_json(content)
        except ValueError as error:
            raise ValueError(f"{self._header_path}: {error}; give another --out") from error

    def _read_records(self) -> dict[tuple[str, str, float], CaseRecord]:
        records: dict[tuple[str, str, float], CaseRecord] = {}
        for number, line in enumerate(self._file.lines(), 1):
            try:
                record = CaseRecord.from_line(line)
            except ValueError as error:
                raise ValueError(f"{self._file.path}: line {number}: {error}") from error
            if records.setdefault(record.key, record) != record:
                raise ValueError(
                    f"{self._file.path}: line {number} is another record of {record.key} than a line before; delete "
                    "the wrong one of the two, and both where nobody knows which"
                )
        return records

    def _write_header(self) -> None:
        write_header(self._header_path, self.identity.to_json(), self.environment)


def _without_header(directory: Path) -> str:
    """What a folder is that holds no evaluation, and which ones inside may have been meant."""
    if not directory.exists():
        return "there is no such folder; name the --out folder of an evaluation"
    inside = [path.parent for depth in range(1, MAX_DEPTH + 1) for path in directory.glob("*/" * depth + HEADER)]
    if not inside:
        return f"no {HEADER} here; name the --out folder of an evaluation"
    more = f" and {len(inside) - MAX_LISTED} more" if len(inside) > MAX_LISTED else ""
    return f"no {HEADER} here; evaluations lie in {', '.join(map(str, sorted(inside)[:MAX_LISTED]))}{more}: name those"


def _refuse_files_of_others(directory: Path) -> None:
    """Before there is a header, whatever has a name of ours is somebody else's, and would be written over."""
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: is a file; give another --out, a folder")
    taken = [name for name in WRITTEN if (directory / name).exists()]
    if taken:
        raise ValueError(
            f"{directory}: holds {taken[0]}, which no evaluation here has written and this one would write over; give "
            "another --out"
        )
