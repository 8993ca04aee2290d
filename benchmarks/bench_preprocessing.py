"""``tools/preprocess.py`` against what one would write first (`plain_preprocessing`), command against command.

The plain loop reads, calls ``scipy.ndimage.zoom``, normalises and saves in one process; ours also measures the task,
notes what it was made from and survives a kill. Most plain loops save with ``numpy.savez_compressed``; what
``numpy.savez`` takes, which fills half as much disk again as ours, stands beside it. Hippocampus has the spacing of its
plan, so nothing is resampled there; a row with a finer spacing shows the resampling of its small volumes.

    python -m benchmarks.bench_preprocessing [--slices 300] [--hippocampus RAW_TASK_DIR]

Without ``--hippocampus`` its raw folder is looked for in ``$ROGSEG_DATA/Task04_Hippocampus``.
"""

import argparse
import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import ROOT
from benchmarks.rows import print_row
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import write_plan
from rogseg.task_plan import TaskPlan

TASKS = ROOT / "configs" / "_base_" / "tasks"
HIPPOCAMPUS = "Task04_Hippocampus"
NUM_WORKERS = "2"
MIN_GAIN, MAX_PEAK = 2, 4  # [times], [GB]
OURS = [sys.executable, "tools/preprocess.py", "--num-workers", NUM_WORKERS]
PLAIN = [sys.executable, "-m", "benchmarks.plain_preprocessing"]


def seconds(command: list[str]) -> float:
    """Wall time of a command [s]."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(name: str, raw_dir: Path, plan: TaskPlan, rounds: int) -> None:
    """Print the rows of a task: the best of some rounds, taken in turn, each into an empty folder."""
    times: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            plan_file = str(Path(folder, "plan.json"))
            write_plan(folder, plan)
            raw, ours, small, large = (str(raw_dir), *(str(Path(folder, name)) for name in ("ours", "small", "large")))
            times.append(
                (
                    seconds([*OURS, raw, "--out", ours, "--plan", plan_file]),
                    seconds([*PLAIN, raw, plan_file, small, "--compress"]),
                    seconds([*PLAIN, raw, plan_file, large]),
                )
            )
    fast, compressed, loose = (min(of_command) for of_command in zip(*times, strict=True))
    row(f"preprocessing {name}", fast, compressed, f"at least {MIN_GAIN}")
    row(f"preprocessing {name}, plain loop without compression", fast, loose)


def row(what: str, fast: float, slow: float, bar: str = "") -> None:
    print_row(what, f"{fast:.2f} s, plain {slow:.2f} s, {slow / fast:.2f} times as fast", bar)


def hippocampus_folder(given: Path | None) -> Path | None:
    """The raw folder that was named, else that under ``$ROGSEG_DATA``, if it is there."""
    if given is not None:
        return given
    root = os.environ.get("ROGSEG_DATA")
    found = Path(root) / HIPPOCAMPUS if root else None
    return found if found is not None and (found / "dataset.json").is_file() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300, help="of the 512 x 512 phantom CT")
    parser.add_argument("--hippocampus", type=Path, help="raw folder of MSD Task04")
    parser.add_argument("--rounds", type=int, default=3, help="of hippocampus; the CT is done once")
    arguments = parser.parse_args()
    raw_dir = hippocampus_folder(arguments.hippocampus)
    if raw_dir is None:
        print(f"hippocampus was skipped, there is no $ROGSEG_DATA/{HIPPOCAMPUS}\n")
    else:
        plan = TaskPlan.load(TASKS / "hippocampus.json")
        finer = dataclasses.replace(plan, spacing=(0.8, 0.8, 0.8))
        compare("the cases of hippocampus", raw_dir, plan, arguments.rounds)
        compare("the cases of hippocampus to 0.8 mm", raw_dir, finer, arguments.rounds)
    shape = (512, 512, arguments.slices)
    task = PhantomTask(shape=shape, spacing=(0.7, 0.7, 1.25), num_training=2, num_test=0, spacing_jitter=0)
    with tempfile.TemporaryDirectory() as name:
        ct_dir = write_phantom_task(Path(name) / "Task90_CT", task)
        compare(f"2 CTs of 512 x 512 x {arguments.slices}", ct_dir, TaskPlan.load(TASKS / "liver.json"), rounds=1)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print_row("largest process of all, plain ones included", f"{largest:.2f} GB", f"at most {MAX_PEAK} GB")


if __name__ == "__main__":
    main()
