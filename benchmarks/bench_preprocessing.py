"""Preprocessing against what one would write first: read, ``scipy.ndimage.zoom``, normalise, save, case after case.

Ours is the whole of `preprocess_task` for the 260 cases of hippocampus, with its measuring, digests and starting of
workers, and `preprocess_case` for one large CT. The plain loop runs in one process and saves as most do, with
``numpy.savez_compressed``; what it takes with ``numpy.savez``, which stores 40% more than ours, stands beside it.
Hippocampus has the spacing of its plan, so nothing is resampled there; a row with a finer spacing shows the resampling
of its small volumes.

    python -m benchmarks.bench_preprocessing [--slices 300] [--hippocampus RAW_TASK_DIR] [--cases 260]

Without ``--hippocampus`` its raw folder is looked for in ``$ROGSEG_DATA/Task04_Hippocampus``.
"""

import argparse
import dataclasses
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.measuring import ROOT, peak, reset_peak
from benchmarks.rows import print_row
from rogseg.preprocessing import preprocess_case, preprocess_task
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import RawCase, read_raw_task, write_stored_case
from rogseg.task_plan import TaskPlan

TASKS = ROOT / "configs" / "_base_" / "tasks"
HIPPOCAMPUS = "Task04_Hippocampus"
NUM_WORKERS = 2
MIN_GAIN, MAX_PEAK = 2, 4  # [times], [GB]

Save = Callable[..., None]


def plain(cases: Sequence[RawCase], plan: TaskPlan, save: Save, out: Path) -> None:
    """Read, zoom, normalise and save one case after the other."""
    channel = plan.channels[0]
    for case in cases:
        file: Any = nibabel.load(case.images[0])
        label: Any = nibabel.load(case.label)
        image = zoomed(file.get_fdata(dtype=np.float32), file.header.get_zooms(), plan, order=3)
        classes = zoomed(np.asarray(label.dataobj).astype(np.uint8), file.header.get_zooms(), plan, order=0)
        if channel.rescale:
            image = (image - image.min()) / (image.max() - image.min())
        image = (np.clip(image, channel.lower, channel.upper) - channel.mean) / channel.std
        save(out / case.case_id, image=image, label=classes)


def zoomed(array: NDArray[Any], spacing: Sequence[float], plan: TaskPlan, order: int) -> NDArray[Any]:
    """To the spacing of the plan; SciPy is called even where nothing changes."""
    factors = [old / new for old, new in zip(spacing, plan.spacing, strict=True)]
    result: NDArray[Any] = ndimage.zoom(array, factors, order=order, mode="nearest", grid_mode=True)
    return result


def fastest_in_fresh_folders(calls: Sequence[Callable[[Path], object]], rounds: int) -> list[float]:
    """The best wall time of each call [s], in turn; each writes into an empty folder."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, of_call in zip(calls, times, strict=True):
            with tempfile.TemporaryDirectory() as name:
                start = time.perf_counter()
                call(Path(name))
                of_call.append(time.perf_counter() - start)
    return [min(of_call) for of_call in times]


def compare(name: str, ours: Callable[[Path], object], cases: Sequence[RawCase], plan: TaskPlan, rounds: int) -> None:
    """Print the rows of some cases; the peak is that of the largest process."""
    peaks = []

    def watched(out: Path) -> None:
        reset_peak("cpu")
        ours(out)
        peaks.append(max(peak("cpu"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024) / 1e9)

    calls = [
        watched,
        *(lambda out, save=save: plain(cases, plan, save, out) for save in (np.savez_compressed, np.savez)),
    ]
    fast, compressed, loose = fastest_in_fresh_folders(calls, rounds)
    row(f"preprocessing {name}", fast, compressed, f"at least {MIN_GAIN}")
    row(f"preprocessing {name}, plain loop without compression", fast, loose)
    print_row(f"largest process of preprocessing {name}", f"{max(peaks):.2f} GB", f"at most {MAX_PEAK} GB")


def row(what: str, fast: float, slow: float, bar: str = "") -> None:
    print_row(what, f"{fast:.2f} s, plain {slow:.2f} s, {slow / fast:.2f} times as fast", bar)


def whole_task(raw_dir: Path, plan: TaskPlan) -> Callable[[Path], object]:
    """What ``tools/preprocess.py`` does."""
    return lambda out: preprocess_task(raw_dir, out, num_workers=NUM_WORKERS, plan=plan)


def one_case(case: RawCase, plan: TaskPlan) -> Callable[[Path], object]:
    """What a worker does with a case."""
    return lambda out: write_stored_case(out / "case", *preprocess_case(case.images, plan, case.label, case.case_id))


def large_cts(slices: int) -> Iterator[tuple[RawCase, ...]]:
    """A phantom CT, there as long as it is looked at."""
    task = PhantomTask(shape=(512, 512, slices), spacing=(0.7, 0.7, 1.25), num_training=1, num_test=0, spacing_jitter=0)
    with tempfile.TemporaryDirectory() as name:
        yield read_raw_task(write_phantom_task(Path(name) / f"Task90_{slices}", task)).training


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
        cases = read_raw_task(raw_dir).training
        plan = TaskPlan.load(TASKS / "hippocampus.json")
        finer = dataclasses.replace(plan, spacing=(0.8, 0.8, 0.8))
        title = f"{len(cases)} cases of hippocampus with {NUM_WORKERS} workers"
        compare(title, whole_task(raw_dir, plan), cases, plan, arguments.rounds)
        compare(f"{title} to 0.8 mm", whole_task(raw_dir, finer), cases, finer, arguments.rounds)
    liver = TaskPlan.load(TASKS / "liver.json")
    for cases in large_cts(arguments.slices):
        compare(f"a CT of 512 x 512 x {arguments.slices}", one_case(cases[0], liver), cases, liver, rounds=1)


if __name__ == "__main__":
    main()
