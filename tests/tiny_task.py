"""A stored task of a few small cases, made in a moment, for tests of what comes after preprocessing."""

from pathlib import Path

import numpy as np

from rogseg.storage import CaseProperties, Fold, StoredTask, write_folds, write_plan, write_stored_case
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan

CASE_IDS = tuple(f"case_{index:02d}" for index in range(10))


def tiny_plan(crop_size: tuple[int, int, int] = (20, 16, 16)) -> TaskPlan:
    return TaskPlan(
        name="Task99_Tiny",
        channels=(ChannelIntensity("CT", False, -100.0, 200.0, 20.0, 50.0),),
        classes=(ForegroundClass("organ", "organ"), ForegroundClass("lesion", "lesion")),
        label_values=(0, 1, 2),
        spacing=(1.0, 1.0, 2.0),
        patch_size=(16, 16, 16),
        crop_size=crop_size,
        window_size=(16, 16, 16),
        strides=((1, 1, 1), (2, 2, 2), (1, 1, 1)),
    )


def write_tiny_task(
    directory: Path, shape: tuple[int, int, int] = (22, 18, 14), plan: TaskPlan | None = None
) -> StoredTask:
    """Ten cases: a bright cuboid (class 1) with a brighter one in it (class 2); training 0-7, validation 8-9."""
    plan = tiny_plan() if plan is None else plan
    write_plan(directory, plan)
    write_folds(directory, [Fold(CASE_IDS[:8], CASE_IDS[8:])])
    lower, upper = plan.channels[0].box
    for number, case_id in enumerate(CASE_IDS):
        generator = np.random.default_rng(number)
        label = np.zeros(shape, dtype=np.uint8)
        first = generator.integers(2, 6, size=3)
        label[first[0] : first[0] + 9, first[1] : first[1] + 8, first[2] : first[2] + 7] = 1
        label[first[0] + 2 : first[0] + 5, first[1] + 2 : first[1] + 5, first[2] + 2 : first[2] + 5] = 2
        image = np.clip(label + generator.normal(0, 0.3, shape), lower, upper)[None].astype(np.float32)
        points = {k: np.flatnonzero(label == k)[::3].tolist() for k in (1, 2)}
        properties = CaseProperties(
            case_id=case_id,
            raw_shape=shape,
            raw_affine=tuple(tuple(float(i == j) for j in range(4)) for i in range(4)),
            raw_spacing=plan.spacing,
            network_shape=shape,
            raw_lower=(-100.0,),
            raw_upper=(200.0,),
            box_lower=(lower,),
            box_upper=(upper,),
            source_digest="none",
            class_places=points,
        )
        write_stored_case(directory / "cases" / case_id, image, label, properties)
    return StoredTask(directory)
