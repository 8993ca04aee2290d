"""The one writer: puts down what workers made of cases, as they hand it in; a bad case does not stop the others."""

from collections.abc import Callable, Sequence
from typing import Any

from rogseg.cases import worded_cases
from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.raised_in import foreign_fault
from rogseg.systems import CaseSource
from rogseg.workers import Job, Workers

__all__ = ["UnusableCases", "case_fault", "record_cases"]

UNREADABLE = "cannot be read"
"""In place of a digest, until the case is mended; no record is of it."""


class UnusableCases:
    """Cases that cannot be used do not stop the others; all are named at the end.

    Args:
        num_cases: of the evaluation.
    """

    def __init__(self, num_cases: int) -> None:
        self.num_cases = num_cases
        self._faults: dict[str, list[str]] = {}

    def note(self, case_id: str, fault: str) -> None:
        """What is wrong with a case; it may have several faults."""
        self._faults.setdefault(case_id, []).append(fault)

    def digests(self, source: CaseSource, case_ids: Sequence[str]) -> dict[str, str]:
        """The digest of each case; one whose files cannot be read is noted, and stays part of the evaluation."""
        found = {}
        for case_id in case_ids:
            try:
                found[case_id] = source.digest(case_id)
            except ValueError as error:
                self.note(case_id, case_fault(case_id, error))
                found[case_id] = UNREADABLE
        return found

    @property
    def case_ids(self) -> frozenset[str]:
        """Those that were noted."""
        return frozenset(self._faults)

    def refuse(self, rest: str = "the others are done") -> None:
        """End the evaluation as failed where a case was noted.

        Args:
            rest: what became of the other cases.

        Raises:
            ValueError: with a line per fault.
        """
        if self._faults:
            listed = "\n  ".join(fault for faults in self._faults.values() for fault in faults)
            number = worded_cases(len(self._faults))
            others = f", {rest}" if len(self._faults) < self.num_cases else ""
            raise ValueError(f"{number} of {self.num_cases} could not be used{others}:\n  {listed}")


def case_fault(case_id: str, error: ValueError) -> str:
    """What a user is told of a case that cannot be used, by a component of the user's own or by rogseg."""
    said = foreign_fault(error) or str(error)
    return said if repr(case_id) in said else f"{case_id}: {said}"


def record_cases(
    workers: Workers[Any, tuple[CaseRecord, ...] | str],
    jobs: Sequence[Job[Any]],
    records: RecordFolder,
    on_done: Callable[[int], None] | None = None,
    check: Callable[[CaseRecord], None] | None = None,
) -> list[tuple[Any, str]]:
    """Let workers do jobs, and append the records of each; they are on disk before the next are asked for.

    The lines of the folder lie in the order in which jobs end, which differs from run to run where several run at
    once; whoever reads a `RecordFolder` gets its records in a fixed order. A case that was being recorded when a run
    was killed is done again, and gets the records that are missing.

    Args:
        workers: their function gives the records of a job, all of them; or what is wrong with its case, where the
            others are to go on.
        jobs: those that are not done yet.
        records: where records go.
        on_done: called after each job with how many are done.
        check: raises a `ValueError` for a record that must not be put down, which is then what is wrong with its case.

    Returns:
        The content of each job without records and what is wrong, in the order of the jobs.

    Raises:
        ValueError: a case cannot be used, and the others are not to go on; what was done before is on record.
    """
    faults: dict[int, str] = {}
    for done, (job, made) in enumerate(workers.run(jobs), start=1):
        fault = made if isinstance(made, str) else _put_down(records, made, check)
        if fault is not None:
            faults[id(job)] = fault
        if on_done is not None:
            on_done(done)
    return [(job.content, faults[id(job)]) for job in jobs if id(job) in faults]


def _put_down(
    records: RecordFolder, made: Sequence[CaseRecord], check: Callable[[CaseRecord], None] | None
) -> str | None:
    for record in made:
        if check is not None:
            try:
                check(record)
            except ValueError as error:
                return case_fault(record.case_id, error)
        if not records.has(*record.key):
            records.add(record)
    return None
