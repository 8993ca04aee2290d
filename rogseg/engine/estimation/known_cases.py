"""What is known about the cases of a task before anything runs: how many train, how large they are."""

import statistics
from pathlib import Path

from mmengine.config import Config

from rogseg.engine.config.task import plan_of
from rogseg.engine.stored_task import is_stored, stored_task_dir
from rogseg.engine.training.training_data import split_of
from rogseg.storage import StoredTask, split_for_selection
from rogseg.storage.splits import published_fold
from rogseg.task_plan import Triple

__all__ = ["median_shape", "num_training_cases"]


def num_training_cases(config: Config, task_dir: str | Path | None) -> int | None:
    """Cases that are trained on: of the stored task, else of the published fold; None where neither is there."""
    task = _stored(config, task_dir)
    if task is not None:
        return len(split_of(config, task)[0])
    fold = published_fold(plan_of(config).name)
    # Only fold 0 is published; the others are split from it when the task is stored.
    if fold is None or config.fold != 0:
        return None
    return len(split_for_selection(fold.train, config.selection_fraction, config.seed, fold.added)[0])


def median_shape(config: Config, task_dir: str | Path | None) -> Triple | None:
    """Median extent of the stored cases on the network's grid [voxels]; None where nothing is stored."""
    task = _stored(config, task_dir)
    if task is None or not task.case_ids:
        return None
    shapes = [task.case(case_id).properties.network_shape for case_id in task.case_ids]
    x, y, z = (round(statistics.median(lengths)) for lengths in zip(*shapes, strict=True))
    return x, y, z


def _stored(config: Config, task_dir: str | Path | None) -> StoredTask | None:
    directory = stored_task_dir(config, task_dir)
    return StoredTask(directory) if is_stored(directory) else None
