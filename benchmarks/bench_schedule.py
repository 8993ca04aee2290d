"""The simulated schedule of `rogseg estimate --cluster` against cases that two local workers really do.

    python -m benchmarks.bench_schedule [--cases 30]

The seconds of each case are measured first, once by one worker and once while two run, since two processes slow each
other down where they share caches and memory; both go through the simulation. Starting the workers is left out.
"""

import argparse
import dataclasses
import os
import time

from benchmarks.phantom_load import PhantomCase, PhantomWorker, jobs_of
from benchmarks.rows import print_row
from rogseg.estimation.schedule import PlannedJob, simulate
from rogseg.evaluation.case_record import CaseRecord
from rogseg.workers.local_processes import LocalProcesses

NUM_WORKERS = 2


class TimedWorker(PhantomWorker):
    """The same, with the seconds that a case took."""

    def _record(self, case: PhantomCase) -> tuple[CaseRecord, ...]:
        begin = time.perf_counter()
        (record,) = super()._record(case)
        return (dataclasses.replace(record, seconds=time.perf_counter() - begin),)


def timed_run(opener: TimedWorker, num_cases: int, num_workers: int) -> tuple[float, list[PlannedJob]]:
    """Wall time of all cases by workers that have started, and the seconds of each [s]."""
    workers: LocalProcesses[PhantomCase, tuple[CaseRecord, ...]] = LocalProcesses(opener, num_workers)
    with workers:
        # As many as there are workers: each gets one, and has opened when it is done.
        list(workers.run(jobs_of(opener, [PhantomCase(0)] * num_workers)))
        jobs = jobs_of(opener, [PhantomCase(number, (1.0,)) for number in range(num_cases)])
        begin = time.perf_counter()
        made = [record for _, records in workers.run(jobs) for record in records]
        wall = time.perf_counter() - begin
    return wall, [PlannedJob(record.case_id, record.seconds) for record in made]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--edge", type=int, default=32, help="of the smallest volumes [voxels]")
    asked = parser.parse_args()
    opener = TimedWorker(asked.edge, growth=8, num_tries=40)
    edges = f"{asked.edge} to {asked.edge + 32}"
    print(f"{asked.cases} phantom cases of {edges} voxels an edge; {os.cpu_count()} processors")
    _, alone = timed_run(opener, asked.cases, 1)
    _, together = timed_run(opener, asked.cases, NUM_WORKERS)
    real, _ = timed_run(opener, asked.cases, NUM_WORKERS)
    for name, jobs, bar in (
        ("cases timed while two run", together, "at most 1.15"),
        ("cases timed alone", alone, ""),
    ):
        told = simulate(jobs, NUM_WORKERS).seconds
        print_row(f"2 workers over their simulation, {name}", f"{real:.2f} s, {told:.2f} s, {real / told:.3f}", bar)


if __name__ == "__main__":
    main()
