"""The one writer: puts down what workers made of cases, as they hand it in."""

from collections.abc import Callable, Sequence
from typing import Any

from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.workers import Job, Workers

__all__ = ["record_cases"]


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
                return f"{record.case_id}: {error}"
        if not records.has(*record.key):
            records.add(record)
    return None
