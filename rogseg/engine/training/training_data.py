"""From a config to the stored task, the split and the loader of training patches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from rogseg.datasets import PatchDataset, PatchSampler, collate
from rogseg.engine.config.task import attach_task, plan_of
from rogseg.registry import DATASETS
from rogseg.storage import StoredTask, split_for_selection

__all__ = ["build_train_loader", "ensure_stored_task", "split_of", "stored_task_dir"]


def stored_task_dir(config: Config, task_dir: str | Path | None = None) -> Path:
    """Folder of the stored task: the one that was given, else ``stored_root/<name of the task>``."""
    return Path(task_dir) if task_dir is not None else Path(config.stored_root) / plan_of(config).name


def ensure_stored_task(config: Config, task_dir: str | Path | None = None, num_workers: int = 1) -> StoredTask:
    """The stored task of a config; it is preprocessed first where it is missing or was not finished.

    Raises:
        ValueError: neither stored nor raw data are there; the message has the command that gets them.
    """
    directory = stored_task_dir(config, task_dir)
    if _is_complete(directory):
        attach_task(config, directory)
        return StoredTask(directory)
    # Only a first run needs these, and they bring the libraries for raw files with them.
    from rogseg.preprocessing import preprocess_task
    from rogseg.sources import MSD_ARCHIVES, download_hint

    plan = plan_of(config)
    raw_dir = Path(config.data_root) / plan.name
    if not (raw_dir / "dataset.json").is_file():
        hint = f"{download_hint(plan.name)} " if plan.name in MSD_ARCHIVES else ""
        raise ValueError(
            f"{plan.name} is neither stored in {directory} nor raw in {raw_dir}. {hint}"
            "If you have it elsewhere, pass --cfg-options data_root=FOLDER, FOLDER being what holds "
            f"{plan.name}, or --task with what tools/preprocess.py made."
        )
    print(f"{directory} is not there or not finished: preprocessing {raw_dir} first", flush=True)
    preprocess_task(raw_dir, directory, num_workers=num_workers, plan=plan)
    return StoredTask(directory)


def _is_complete(directory: Path) -> bool:
    if not all((directory / name).is_file() for name in ("plan.json", "splits.json")):
        return False
    task = StoredTask(directory)
    fold = task.folds(0)
    return {*fold.train, *fold.validation} <= set(task.case_ids)


def split_of(config: Config, task: StoredTask) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cases to train on and those that select the checkpoint; validation cases of the fold are in neither."""
    fold = task.folds(config.fold)
    return split_for_selection(fold.train, config.selection_fraction, config.seed)


def build_train_loader(
    stored_task_dir: str | Path,
    case_ids: tuple[str, ...],
    dataset: Mapping[str, Any],
    *,
    batch_size: int,
    num_workers: int = 2,
    prefetch_factor: int = 4,
    pin_memory: bool | None = None,
    iterations_per_epoch: int | None = None,
    seed: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> DataLoader[Any]:
    """The loader of training patches.

    Args:
        stored_task_dir: folder of the stored task.
        case_ids: cases to train on.
        dataset: config of a `PatchDataset`, without what is given here.
        batch_size: per process.
        num_workers: processes that load; 0 loads in between.
        prefetch_factor: mini-batches that each worker has ready.
        pin_memory: None does so where there is a GPU.
        iterations_per_epoch: None is one patch per case and epoch.
        seed: of all random choices.
        rank: of this process.
        world_size: number of processes.

    Raises:
        ValueError: a number is under its minimum.
    """
    if batch_size < 1 or num_workers < 0:
        raise ValueError(f"train_data.batch_size is {batch_size} and num_workers {num_workers}: they are too small")
    if iterations_per_epoch is not None and iterations_per_epoch < 1:
        raise ValueError(f"train_cfg.iterations_per_epoch is {iterations_per_epoch}, it must be at least 1")
    per_step = batch_size * world_size
    num_batches = iterations_per_epoch or max(1, len(case_ids) // per_step)
    patches: PatchDataset = DATASETS.build(
        {
            **dataset,
            "stored_task_dir": stored_task_dir,
            "case_ids": case_ids,
            "length": num_batches * per_step,
            "seed": seed,
        }
    )
    return DataLoader(
        patches,
        batch_size=batch_size,
        sampler=PatchSampler(num_batches, batch_size, rank, world_size),
        num_workers=num_workers,
        # Workers that live on save their start-up at every epoch; the sampler tells them the epoch.
        persistent_workers=num_workers > 0,
        prefetch_factor=prefetch_factor if num_workers else None,
        pin_memory=torch.cuda.is_available() if pin_memory is None else pin_memory,
        collate_fn=collate,
    )
