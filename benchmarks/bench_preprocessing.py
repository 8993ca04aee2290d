"""Preprocessing against a plain ``scipy.ndimage.zoom`` per case, in one process.

Both read the raw files, resample image and label, normalise and store; they differ in the resampling only. Hippocampus
has the spacing of its plan already, so neither side resamples it, and the rest, shared by both, is all there is to
time; a row with a finer spacing shows the resampling of its small volumes.

    python -m benchmarks.bench_preprocessing [--slices 300] [--hippocampus RAW_TASK_DIR] [--cases 60] [--threads 1]

Without ``--hippocampus`` its raw folder is looked for in ``$ROGSEG_DATA/Task04_Hippocampus``.
"""

import argparse
import dataclasses
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.measuring import ROOT, fastest, peak, reset_peak
from benchmarks.rows import print_row
from rogseg.preprocessing import case_preprocessing, preprocess_case
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import RawCase, read_raw_task, write_stored_case
from rogseg.task_plan import TaskPlan

TASKS = ROOT / "configs" / "_base_" / "tasks"
HIPPOCAMPUS = "Task04_Hippocampus"
MIN_GAIN, MAX_PEAK = 2, 4  # [times], [GB]


def zoom_image(image: NDArray[np.float32], shape: tuple[int, ...], _nearest_axis: int | None) -> NDArray[np.float32]:
    """What one would write first; it always runs, also where nothing changes."""
    factors = [new / old for old, new in zip(image.shape[1:], shape, strict=True)]
    return np.stack([ndimage.zoom(channel, factors, order=3, mode="nearest", grid_mode=True) for channel in image])


def zoom_labels(
    labels: NDArray[np.uint8], _num_classes: int, shape: tuple[int, ...], _nearest_axis: int | None
) -> NDArray[np.uint8]:
    factors = [new / old for old, new in zip(labels.shape, shape, strict=True)]
    zoomed: NDArray[np.uint8] = ndimage.zoom(labels, factors, order=0, mode="nearest", grid_mode=True)
    return zoomed


def preprocess(case: RawCase, plan: TaskPlan, out: Path) -> None:
    write_stored_case(out / case.case_id, *preprocess_case(case.images, plan, case.label, case.case_id))


def compare(name: str, cases: tuple[RawCase, ...], plan: TaskPlan, out: Path, rounds: int) -> None:
    """Print the rows of some cases."""
    peaks = []

    def ours() -> None:
        reset_peak("cpu")
        for case in cases:
            preprocess(case, plan, out)
        peaks.append(peak("cpu") / 1e9)

    def plain() -> None:
        with (
            mock.patch.object(case_preprocessing, "resample_image", zoom_image),
            mock.patch.object(case_preprocessing, "resample_labels", zoom_labels),
        ):
            for case in cases:
                preprocess(case, plan, out)

    preprocess(cases[0], plan, out)  # what is loaded at the first call is not a case's
    calls: list[Callable[[], object]] = [ours, plain]
    fast, slow = fastest(calls, "cpu", rounds, warm=False)
    measured = f"{fast:.2f} s, zoom {slow:.2f} s, {slow / fast:.2f} times faster"
    print_row(f"preprocessing {name}", measured, f"at least {MIN_GAIN}")
    print_row(f"peak memory of preprocessing {name}", f"{max(peaks):.2f} GB", f"at most {MAX_PEAK} GB")


def phantom_case(folder: Path, slices: int) -> tuple[RawCase, ...]:
    task = PhantomTask(shape=(512, 512, slices), spacing=(0.7, 0.7, 1.25), num_training=1, num_test=0, spacing_jitter=0)
    return read_raw_task(write_phantom_task(folder / f"Task90_{slices}", task)).training


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
    parser.add_argument("--cases", type=int, default=60, help="of hippocampus, at most")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="1 takes processor time")
    parser.add_argument("--rounds", type=int, default=2, help="of hippocampus; the CT is done once")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)  # BLAS has its own, from OMP_NUM_THREADS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = hippocampus_folder(arguments.hippocampus)
        if raw_dir is None:
            print(f"hippocampus was skipped, there is no $ROGSEG_DATA/{HIPPOCAMPUS}\n")
        else:
            cases = read_raw_task(raw_dir).training[: arguments.cases]
            plan = TaskPlan.load(TASKS / "hippocampus.json")
            compare(f"hippocampus, {len(cases)} cases", cases, plan, folder / "out", arguments.rounds)
            finer = dataclasses.replace(plan, spacing=(0.8, 0.8, 0.8))
            compare(f"hippocampus to 0.8 mm, {len(cases)} cases", cases, finer, folder / "out", arguments.rounds)
        liver = TaskPlan.load(TASKS / "liver.json")
        compare(
            f"a CT of 512 x 512 x {arguments.slices}", phantom_case(folder, arguments.slices), liver, folder / "out", 1
        )


if __name__ == "__main__":
    main()
