"""From a config to a trained network: `build_runner` and `train`."""

import gc
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from mmengine.config import Config

from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.device import choose_device
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.model_zoo import zoo_checkpoint
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.engine.training.selection_validation import SelectionValidation
from rogseg.engine.training.training_data import build_train_loader, split_of
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.engine.training.warm_start import FINISHED, ensure_initial_checkpoint
from rogseg.models.checkpoints import LAST
from rogseg.registry import TRAINERS
from rogseg.storage import StoredTask, write_json_atomic

__all__ = ["build_runner", "device_of", "train", "train_config", "work_dir_of"]

# Runners of one process that share a name share logger and visualizer, too.
RUN_NUMBERS = itertools.count()
# Keys that a stage which is trained first takes over from the config that needs it.
SHARED_KEYS = ("data_root", "stored_root", "fold", "seed", "selection_fraction", "device", "launcher")


def train_config(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    task_dir: str | Path | None = None,
) -> Config:
    """Load a config, preprocess its task where that is missing, train, and give the config back.

    Raises:
        ValueError: something in config, data or checkpoint is wrong; the message says what to do.
    """
    config = load_config(path, overrides, task_dir)
    train(config, task_dir)
    return config


def train(config: Config, task_dir: str | Path | None = None) -> TrainingRunner:
    """Train to the end: resume where the config says so, start from another stage's weights where it names one."""
    connect(config)
    task = _ensure_task_once(config, task_dir)
    if not (config.resume and (work_dir_of(config) / LAST).is_file()):
        shared = {key: config[key] for key in SHARED_KEYS}

        def stage_work_dir(stage: Path) -> Path:
            return work_dir_of(load_config(stage, shared, task_dir))

        def train_stage(stage: Path, work_dir: Path) -> None:
            train(load_config(stage, {**shared, "work_dir": str(work_dir), "resume": True}, task_dir), task_dir)

        start = ensure_initial_checkpoint(
            config, stage_work_dir=stage_work_dir, train_stage=train_stage, zoo_checkpoint=zoo_checkpoint
        )
        config.load_from = None if start is None else str(start)
    runner = build_runner(config, task)
    runner.train()
    if runner.rank == 0:
        last = runner.train_loop.history[-1]
        write_json_atomic(work_dir_of(config) / FINISHED, {"epochs": runner.epoch, "last_epoch": last})
    return runner


def build_runner(config: Config, task: StoredTask) -> TrainingRunner:
    """Everything that a training needs, built and not yet started.

    Args:
        config: from `load_config`.
        task: the stored task.
    """
    device, plan, work_dir = device_of(config), plan_of(config), work_dir_of(config)
    if device.type == "cpu":
        keep_freed_memory()
    rank, world_size = _place()
    fit_ids, selection_ids = split_of(config, task)
    loop = dict(config.train_cfg)
    loader = build_train_loader(
        task.directory,
        fit_ids,
        **config.train_data,
        iterations_per_epoch=loop.get("iterations_per_epoch"),
        seed=config.seed,
        rank=rank,
        world_size=world_size,
    )
    loop["trainer"] = TRAINERS.build(dict(config.trainer))
    if config.validation is not None:
        loop["validation"] = SelectionValidation(
            task.directory,
            selection_ids,
            plan,
            config.inference,
            **config.validation,
            num_replays=loop["trainer"].num_replays,
            seed=config.seed,
        )
    last = work_dir / LAST
    resume = bool(config.resume) and last.is_file()
    return TrainingRunner(
        device=device,
        model=config.model,
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=loop,
        optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler,
        default_hooks=config.default_hooks,
        custom_hooks=[*config.custom_hooks, *([] if config.plateau is None else [config.plateau])],
        load_from=str(last) if resume else config.load_from,
        resume=resume,
        launcher=config.launcher,
        env_cfg=config.env_cfg,
        visualizer=config.visualizer,
        default_scope=config.default_scope,
        log_level=config.log_level,
        randomness={"seed": config.seed},
        experiment_name=f"{Path(config.filename).stem}-{os.getpid()}-{next(RUN_NUMBERS)}",
        cfg=config,
    )


def work_dir_of(config: Config) -> Path:
    """Where checkpoints and curves of a config go: ``work_dir``, else ``work_dirs/<config>/<task>_fold<fold>``."""
    if config.work_dir is not None:
        return Path(config.work_dir)
    return Path("work_dirs") / Path(config.filename).stem / f"{plan_of(config).name}_fold{config.fold}"


def device_of(config: Config) -> torch.device:
    """The device of this process.

    Raises:
        ValueError: there is no such device.
    """
    device = choose_device(config.device)
    if str(device) == "cuda" and config.launcher == "pytorch":
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def connect(config: Config) -> None:
    """Join the other processes, where there are some; MMEngine's own way in needs a GPU.

    Raises:
        ValueError: the launcher is unknown, or torchrun was not used.
    """
    if config.launcher == "none" or torch.distributed.is_initialized():
        return
    if config.launcher != "pytorch":
        raise ValueError(f"launcher is {config.launcher!r}, known are 'none' and 'pytorch'")
    if "RANK" not in os.environ:
        raise ValueError("launcher is 'pytorch', which needs torchrun: torchrun --nproc-per-node 2 tools/train.py ...")
    device = device_of(config)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def disconnect() -> None:
    """Leave the other processes, where there are some, once nothing of the training is needed.

    Threads of gloo live as long as anything refers to their group, and a finished training still does, in cycles. One
    that lets go of a tensor while the interpreter shuts down aborts the process, so the cycles are collected before.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()


def _place() -> tuple[int, int]:
    if not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def _ensure_task_once(config: Config, task_dir: str | Path | None) -> StoredTask:
    # One process preprocesses while the others wait; then all of them read.
    rank, world_size = _place()
    if rank == 0:
        ensure_stored_task(config, task_dir)
    if world_size > 1:
        torch.distributed.barrier()
    return ensure_stored_task(config, task_dir)
