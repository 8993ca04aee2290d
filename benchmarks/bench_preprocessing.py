"""Preprocessing against a plain `scipy.ndimage.zoom` per case, in one process, and how its time grows with the volume.

Both read the raw files, resample image and label, normalise and store; they differ in the resampling only. Peak memory
is that of this process over its whole life, so it holds for the larger of what was run.

    python benchmarks/bench_preprocessing.py [--slices 300] [--hippocampus RAW_TASK_DIR]
"""

import argparse
import dataclasses
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rogseg.preprocessing import case_preprocessing, preprocess_case
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import RawCase, read_raw_task, write_stored_case
from rogseg.task_plan import TaskPlan

TASKS = Path(__file__).resolve().parents[1] / "configs" / "_base_" / "tasks"


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


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor time [s]; the second is the fairer one on a machine with other work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(name: str, cases: tuple[RawCase, ...], plan: TaskPlan, out: Path) -> dict[str, object]:
    def run() -> None:
        for case in cases:
            preprocess(case, plan, out)

    ours = seconds(run)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with (
        mock.patch.object(case_preprocessing, "resample_image", zoom_image),
        mock.patch.object(case_preprocessing, "resample_labels", zoom_labels),
    ):
        plain = seconds(run)
    return {
        "what": name,
        "num_cases": len(cases),
        "ours_wall_s": round(ours[0], 2),
        "ours_cpu_s": round(ours[1], 2),
        "zoom_wall_s": round(plain[0], 2),
        "zoom_cpu_s": round(plain[1], 2),
        "speedup_cpu": round(plain[1] / ours[1], 2),
        "peak_gb_ours": round(peak, 2),
    }


def phantom_case(folder: Path, slices: int) -> tuple[RawCase, ...]:
    task = PhantomTask(shape=(512, 512, slices), spacing=(0.7, 0.7, 1.25), num_training=1, num_test=0, spacing_jitter=0)
    return read_raw_task(write_phantom_task(folder / f"Task90_{slices}", task)).training


def main() -> None:
    """Print one JSON line per comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300, help="of the 512 x 512 phantom CT")
    parser.add_argument("--hippocampus", type=Path, help="raw folder of MSD Task04")
    parser.add_argument("--growth", action="store_true", help="also 1/8, 1/4 and 1/2 of the slices, without zoom")
    arguments = parser.parse_args()
    liver = TaskPlan.load(TASKS / "liver.json")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.growth:
            for share in (8, 4, 2, 1):
                cases = phantom_case(folder, arguments.slices // share)
                wall, cpu = seconds(lambda cases=cases: preprocess(cases[0], liver, folder / "out"))  # type: ignore[misc]
                print(
                    json.dumps({"slices": arguments.slices // share, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)})
                )
        if arguments.hippocampus is not None:
            raw = read_raw_task(arguments.hippocampus)
            plan = TaskPlan.load(TASKS / "hippocampus.json")
            print(json.dumps(compare("hippocampus", raw.training, plan, folder / "out")), flush=True)
            finer = dataclasses.replace(plan, spacing=(0.8, 0.8, 0.8))
            print(json.dumps(compare("hippocampus to 0.8 mm", raw.training, finer, folder / "out")), flush=True)
        cases = phantom_case(folder, arguments.slices)
        print(json.dumps(compare(f"CT 512x512x{arguments.slices}", cases, liver, folder / "out")), flush=True)


if __name__ == "__main__":
    main()
