"""The one writer: puts down what workers made of cases, as they hand it in; a bad case does not stop the others."""

from collections.abc import Callable, Sequence
from typing import Any

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
            number = "1 case" if len(self._faults) == 1 else f"{len(self._faults)} cases"
            raise ValueError(f"{number} of {self.num_cases} could not be used, {rest}:\n  {listed}")


def case_fault(case_id: str, error: ValueError) -> str:
    """What a user is told of a case that cannot be used, by a component of the user's own or by rogseg."""
    said = foreign_fault(error) or str(error)
    return said if repr(case_id) in said else f"{case_id}: {said}"


def record_cases(
    workers: Workers[Any, tuple[CaseRecord, ...] | str],
    jobs: Sequence[Job[Any]],
    records: RecordFolder,
    on_progress: Callable[[int, int], None] | None = None,
    unusable: UnusableCases | None = None,
) -> None:
    """Let workers do jobs, and append the records of each; they are on disk before the next are asked for.

    The lines of the folder lie in the order in which jobs end, which differs from run to run where several run at
    once; whoever reads a `RecordFolder` gets its records in a fixed order. A case that was being recorded when a run
    was killed is done again, and gets the records that are missing.

    Args:
        workers: their function gives the records of a job, all of them; of a case that cannot be used, what is wrong.
        jobs: those that are not done yet.
        records: where records go.
        on_progress: called with the jobs that are done and with all there are, first with none done.
        unusable: notes the cases that cannot be used, by the ``case_id`` of their jobs; None ends at the first.

    Raises:
        ValueError: a case cannot be used, and nobody notes it; what was done before is on record.
    """
    if on_progress is not None:
        on_progress(0, len(jobs))
    for done, (job, made) in enumerate(workers.run(jobs), start=1):
        if isinstance(made, str):
            if unusable is None:
                raise ValueError(made)
            unusable.note(job.content.case_id, made)
        else:
            for record in made:
                if not records.has(*record.key):
                    records.add(record)
        if on_progress is not None:
            on_progress(done, len(jobs))
