"""From a config to the split and the loader of training patches."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from rogseg.cases import Batch
from rogseg.datasets import PatchDataset, PatchSampler
from rogseg.engine.config.takers import takes
from rogseg.registry import DATASETS
from rogseg.storage import StoredTask, split_for_selection

__all__ = ["build_train_loader", "split_of"]


def split_of(config: Config, task: StoredTask) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cases to train on and those that select the checkpoint; validation cases of the fold are in neither."""
    fold = task.folds(config.fold)
    return split_for_selection(fold.train, config.selection_fraction, config.seed, fold.added)


@takes("train_data", "stored_task_dir", "case_ids", "iterations_per_epoch", "seed", "rank", "world_size")
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
        collate_fn=Batch.stack,
        worker_init_fn=_leave_interrupts_to_the_main_process,
    )


def _leave_interrupts_to_the_main_process(_worker: int) -> None:
    # Ctrl-C goes to the whole group; the main process ends its workers, who would else each print where they were.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
