"""Small stored cases and plans for tests of storage."""

from pathlib import Path

import numpy as np

from rogseg.storage import CaseProperties, StoredCase, write_stored_case
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan

PLAN = TaskPlan(
    name="Task90_Mine",
    channels=(ChannelIntensity("CT", False, -100.0, 200.0, 50.0, 30.0),) * 2,
    classes=(ForegroundClass("organ", "organ"), ForegroundClass("lesion", "lesion", 5, True)),
    label_values=(0, 7, 2),
    spacing=(0.8, 0.8, 2.5),
    patch_size=(16, 16, 16),
    crop_size=(20, 20, 16),
    window_size=(16, 16, 16),
    strides=((1, 1, 1), (2, 2, 1), (2, 2, 2)),
)


def properties(case_id: str, shape: tuple[int, int, int], labelled: bool = True) -> CaseProperties:
    return CaseProperties(
        case_id=case_id,
        raw_shape=(shape[0] + 1, shape[1], shape[2]),
        raw_affine=((0.7, 0.0, 0.0, -12.5), (0.0, 1.1, 0.1, 3.0), (0.0, -0.1, 2.0, 1e3), (0.0, 0.0, 0.0, 1.0)),
        raw_spacing=(0.7, 1.1, 2.0),
        network_shape=shape,
        raw_lower=(-100.0, -100.0),
        raw_upper=(200.0, 200.0),
        box_lower=(-5.0, -5.0),
        box_upper=(5.0, 5.0),
        source_digest="abc",
        class_places={1: [45, 71], 2: []} if labelled else None,
    )


def write_example(directory: Path, shape: tuple[int, int, int] = (30, 70, 9), labelled: bool = True) -> StoredCase:
    rng = np.random.default_rng(0)
    image = rng.standard_normal((2, *shape), dtype=np.float32)
    label = rng.integers(0, 3, shape, dtype=np.uint8) if labelled else None
    return write_stored_case(directory, image, label, properties(directory.name, shape, labelled))
