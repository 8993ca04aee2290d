"""The one writer: puts down what workers made of cases, as they hand it in."""

from collections.abc import Callable, Sequence
from typing import Any

from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.workers import Job, Workers

__all__ = ["record_cases"]


def record_cases(
    workers: Workers[Any, tuple[CaseRecord, ...]],
    jobs: Sequence[Job[Any]],
    records: RecordFolder,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Let workers do jobs, and append the records of each; they are on disk before the next are asked for.

    The lines of the folder lie in the order in which jobs end, which differs from run to run where several run at
    once; whoever reads a `RecordFolder` gets its records in a fixed order. A case that was being recorded when a run
    was killed is done again, and gets the records that are missing.

    Args:
        workers: their function gives the records of a job, all of them.
        jobs: those that are not done yet.
        records: where records go.
        on_progress: called with the jobs that are done and with all there are, first with none done.

    Raises:
        ValueError: a case cannot be used; what was done before is on record.
    """
    if on_progress is not None:
        on_progress(0, len(jobs))
    for done, (_, made) in enumerate(workers.run(jobs), start=1):
        for record in made:
            if not records.has(*record.key):
                records.add(record)
        if on_progress is not None:
            on_progress(done, len(jobs))
