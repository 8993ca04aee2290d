"""The yardstick of preprocessing: what one would write first, case after case in one process.

python -m benchmarks.plain_preprocessing RAW_TASK_DIR PLAN OUT [--compress]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rogseg.storage import read_raw_task
from rogseg.task_plan import TaskPlan


def preprocess(raw_dir: Path, plan: TaskPlan, out: Path, compress: bool) -> None:
    """Read, zoom, normalise and save each case."""
    (channel,) = plan.channels
    save = np.savez_compressed if compress else np.savez
    out.mkdir(parents=True, exist_ok=True)
    for case in read_raw_task(raw_dir).training:
        file: Any = nibabel.load(case.images[0])
        label: Any = nibabel.load(case.label)
        spacing = file.header.get_zooms()
        image = zoomed(file.get_fdata(dtype=np.float32), spacing, plan, order=3)
        classes = zoomed(np.asarray(label.dataobj).astype(np.uint8), spacing, plan, order=0)
        if channel.rescale:
            image = (image - image.min()) / (image.max() - image.min())
        image = (np.clip(image, channel.lower, channel.upper) - channel.mean) / channel.std
        save(out / case.case_id, image=image, label=classes)


def zoomed(array: NDArray[Any], spacing: Sequence[float], plan: TaskPlan, order: int) -> NDArray[Any]:
    """To the spacing of the plan; SciPy is called even where nothing changes."""
    factors = [old / new for old, new in zip(spacing, plan.spacing, strict=True)]
    result: NDArray[Any] = ndimage.zoom(array, factors, order=order, mode="nearest", grid_mode=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw_dir", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--compress", action="store_true", help="numpy.savez_compressed instead of numpy.savez")
    arguments = parser.parse_args()
    preprocess(arguments.raw_dir, TaskPlan.load(arguments.plan), arguments.out, arguments.compress)


if __name__ == "__main__":
    main()
