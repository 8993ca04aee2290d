"""Load test: many phantom cases while workers and their driver are killed at random.

    python -m benchmarks.load_workers --cases 2000 --worker-kills 20 --driver-kills 2

runs the real writer and workers on generated cases, kills with SIGKILL, starts the driver again where that died,
and holds the records against those of one undisturbed process. It fails where a record is lost, there twice or another.
"""

import argparse
import atexit
import contextlib
import dataclasses
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.phantom_load import PhantomWorker, evaluate_phantoms
from rogseg.workers import open_workers

__all__ = ["LoadLog", "load_test"]

ROOT = Path(__file__).resolve().parents[1]
CHANCE = random.Random(0)


@dataclasses.dataclass
class LoadLog:
    """What a load test saw.

    Args:
        num_records: in the end.
        lost: keys that the undisturbed run has and this one has not.
        doubled: keys that are there more than once.
        different: keys whose records differ in more than seconds.
        worker_kills: processes that were killed.
        driver_kills: the same of drivers.
        memory: resident memory of the last driver [MiB], medians over the second and the last tenth of the records that
            it took in; in the first it is still starting.
    """

    num_records: int
    lost: list[str]
    doubled: list[str]
    different: list[str]
    worker_kills: int
    driver_kills: int
    memory: tuple[float, float]


def load_test(
    folder: Path,
    num_cases: int,
    *,
    edge: int = 16,
    num_workers: int = 2,
    cluster: str | None = None,
    worker_kills: int,
    driver_kills: int,
    say: Callable[[str], None] = print,
) -> LoadLog:
    """Run it with kills, run it without, compare."""
    disturbed, quiet = folder / "disturbed", folder / "quiet"
    total, killed = 2 * num_cases, {"worker": 0, "driver": 0}
    # A kill each time that so many records more are there; drivers are killed in between.
    kinds = ["worker"] * worker_kills
    for number in range(driver_kills):
        kinds.insert((number + 1) * len(kinds) // (driver_kills + 1), "driver")
    marks = [(number + 1) * total // (len(kinds) + 1) for number in range(len(kinds))]
    command = [sys.executable, "-m", "benchmarks.load_workers", "--drive", str(disturbed), "--cases", str(num_cases)]
    command += ["--edge", str(edge), "--num-workers", str(num_workers)]
    command += [] if cluster is None else ["--cluster", cluster]
    memory: list[tuple[int, float]] = []
    driver = _start(command)
    begin = time.monotonic()
    atexit.register(lambda: driver.kill())
    while driver.poll() is None or driver.returncode == -signal.SIGKILL:
        if driver.poll() is not None:
            driver, memory = _start(command), []
        done = _num_lines(disturbed)
        if done and driver.poll() is None:
            memory += [(done, resident) for resident in _resident(driver.pid)]
        if kinds and done >= marks[0]:
            pids = [driver.pid] if kinds[0] == "driver" else list(_workers_of(driver.pid))
            if pids:
                os.kill(CHANCE.choice(pids), signal.SIGKILL)
                killed[kinds[0]] += 1
                say(f"{time.monotonic() - begin:6.1f} s: {done} of {total} records, killed a {kinds[0]}")
                kinds.pop(0)
                marks.pop(0)
                if pids == [driver.pid]:
                    driver.wait()
        time.sleep(0.02)
    if driver.returncode:
        raise SystemExit(f"the driver ended with {driver.returncode}")
    say(f"{time.monotonic() - begin:6.1f} s: done, {_num_lines(disturbed)} of {total} records")
    evaluate_phantoms(quiet, num_cases, PhantomWorker(edge))
    keys, expected = _records(disturbed), dict(_records(quiet))
    found = dict(keys)
    names = [key for key, _ in keys]
    return LoadLog(
        len(keys),
        [key for key in expected if key not in found],
        sorted({key for key in names if names.count(key) > 1}),
        [key for key in found if found[key] != expected.get(key)],
        killed["worker"],
        killed["driver"],
        _early_and_late(memory),
    )


def _early_and_late(readings: list[tuple[int, float]]) -> tuple[float, float]:
    """Medians over the second and the last tenth of the records, from readings (records so far, MiB)."""
    if not readings:
        return math.nan, math.nan
    first, last = readings[0][0], readings[-1][0]
    tenth = (last - first) / 10
    early = [held for done, held in readings if first + tenth <= done <= first + 2 * tenth]
    late = [held for done, held in readings if done >= last - tenth]
    return median(early or [math.nan]), median(late or [math.nan])


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})


def _workers_of(pid: int) -> Iterator[int]:
    """Worker processes that descend from a process; multiprocessing's own attendant is none."""
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return
    if b"spawn_main" in command or command.startswith(b"ray::CaseWorker"):
        yield pid
    for child in children:
        yield from _workers_of(child)


def _resident(pid: int) -> list[float]:
    """Memory of a process [MiB]; nothing where it is ending."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]


def _num_lines(directory: Path) -> int:
    path = directory / "records.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _records(directory: Path) -> list[tuple[str, str]]:
    """Key and content of each line, without its seconds and checksum."""
    found = []
    for line in (directory / "records.jsonl").read_text().splitlines():
        entry = json.loads(line)
        del entry["seconds"], entry["crc"]
        found.append((f"{entry['case_id']} {entry['condition']}", json.dumps(entry)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--edge", type=int, default=16, help="of the volumes [voxels]")
    parser.add_argument("--num-workers", type=int, default=2)
    parser.add_argument("--cluster")
    parser.add_argument("--worker-kills", type=int, default=20)
    parser.add_argument("--driver-kills", type=int, default=2)
    parser.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.drive is not None:
        opener = PhantomWorker(asked.edge)
        workers = open_workers(opener, num_workers=asked.num_workers, cluster=asked.cluster, device="cpu")
        with workers or contextlib.nullcontext():
            evaluate_phantoms(asked.drive, asked.cases, opener, workers)
        return
    with tempfile.TemporaryDirectory() as folder:
        log = load_test(
            Path(folder),
            asked.cases,
            edge=asked.edge,
            num_workers=asked.num_workers,
            cluster=asked.cluster,
            worker_kills=asked.worker_kills,
            driver_kills=asked.driver_kills,
        )
    print(
        f"{log.num_records} records of {asked.cases} cases; lost {len(log.lost)}, twice {len(log.doubled)}, different "
        f"{len(log.different)}; {log.worker_kills} workers and {log.driver_kills} drivers killed; memory of the last "
        f"driver {log.memory[0]:.0f} MiB early and {log.memory[1]:.0f} MiB at its end"
    )
    if log.lost or log.doubled or log.different:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
