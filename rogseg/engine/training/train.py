"""From a config to a trained network: `build_runner` and `train`."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from rogseg.attacks import LinfThreat
from rogseg.command_line import is_out_of_memory
from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of, sizes_not_taken
from rogseg.engine.device import keep_freed_memory
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.engine.training.processes import connect, device_of, is_first, place, wait_for_all
from rogseg.engine.training.provenance import Provenance, check_allowed, provenance_of, refuse_other_training
from rogseg.engine.training.selection_validation import SelectionValidation
from rogseg.engine.training.starting_weights import SHARED_KEYS, known_to_start, starting_weights, weights_there
from rogseg.engine.training.training_data import build_train_loader, split_of
from rogseg.engine.training.training_runner import EnvironmentSettings, TrainingRunner
from rogseg.engine.training.work_dir import (
    begin_training,
    held,
    refuse_existing,
    work_dir_of,
    write_finished,
)
from rogseg.models.checkpoints import LAST
from rogseg.preprocessing import refuse_changed_sources, touched_since_stored
from rogseg.registry import TRAINERS
from rogseg.storage import StoredTask
from rogseg.trainers import seeded

__all__ = ["build_runner", "train", "train_config"]

# Runners of one process that share a name share logger and visualizer, too.
RUN_NUMBERS = itertools.count()


def train_config(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    task_dir: str | Path | None = None,
    minutes: float | None = None,
) -> Config:
    """Load a config, preprocess its task where that is missing, train, and give the config back.

    For the record, ``minutes`` are what the schedule in the overrides was made for.

    Raises:
        ValueError: something in config, data or checkpoint is wrong; the message says what to do.
    """
    config = load_config(path, overrides, task_dir)
    train(config, task_dir, minutes)
    return config


def train(config: Config, task_dir: str | Path | None = None, minutes: float | None = None) -> TrainingRunner:
    """Train to the end: resume where the config says so, start from another stage's weights where it names one.

    Raises:
        ValueError: the work directory is in use or holds a training, what is resumed had other settings, or raw files
            have changed since their cases were stored.
        MemoryError: a training step needs more memory than there is; the message has what to change.
    """
    check_allowed(config.get("allow", ()))
    device_of(config)
    connect(config)
    task = _ensure_task_once(config, task_dir)
    with held(work_dir_of(config)):
        return _train(config, task, task_dir, minutes)


def _train(config: Config, task: StoredTask, task_dir: str | Path | None, minutes: float | None) -> TrainingRunner:
    directory, num_processes = work_dir_of(config), place()[1]
    last = directory / LAST
    resuming = bool(config.resume) and last.is_file()
    if resuming:
        provenance = refuse_other_training(config, task, minutes, weights_there(config, task_dir))
    else:
        refuse_existing(directory, bool(config.get("overwrite")))
        start = starting_weights(config, task_dir, _stage_trainer(config, task_dir))
        config.load_from = None if start is None else str(start)
        if start is not None and start.resolve().parent == directory.resolve():
            raise ValueError(
                f"{start}: lies in the work directory that this training would start again in: name another --work-dir"
            )
        provenance = provenance_of(config, task, num_processes, start=start, minutes=minutes)
        if start is not None and is_first() and (known := known_to_start(start, provenance.lineage)):
            print(known, flush=True)
    runner = build_runner(config, task, provenance)
    runner.register_hook(_BeginHook())
    if is_first() and (notice := sizes_not_taken(config, task.plan)):
        print(notice, flush=True)
    try:
        runner.train()
    except BaseException as error:
        runner.call_hook("after_run")  # lets go of the terminal
        if is_out_of_memory(error):
            raise MemoryError(_what_to_shrink(config, runner.device)) from error
        raise
    if is_first():
        write_finished(directory, runner.epoch, runner.train_loop.history[-1])
    wait_for_all()  # a stage that starts from this one reads its checkpoint
    return runner


class _BeginHook(Hook):
    """Gives the work directory to the training once nothing can refuse it any more: all is built and loaded."""

    priority = "LOWEST"

    def before_train(self, runner: TrainingRunner) -> None:
        if is_first():
            begin_training(Path(runner.work_dir), resuming=runner.is_resuming)


def _stage_trainer(config: Config, task_dir: str | Path | None) -> Callable[[Path, Path], None]:
    shared = {key: config[key] for key in SHARED_KEYS}

    def train_stage(stage: Path, work_dir: Path) -> None:
        train(load_config(stage, {**shared, "work_dir": str(work_dir), "resume": True}, task_dir), task_dir)

    return train_stage


def _what_to_shrink(config: Config, device: torch.device) -> str:
    wrapper, data = config.optim_wrapper, config.train_data
    precision = wrapper.get("dtype", "bfloat16") if wrapper["type"] == "AutocastOptimWrapper" else "float32"
    lighter = "" if precision != "float32" else ", optim_wrapper.type=AutocastOptimWrapper (bfloat16)"
    patch = "x".join(str(length) for length in data["dataset"].get("patch_size", ()))
    return (
        f"out of memory on {device} while training with train_data.batch_size={data['batch_size']}, patches of {patch} "
        f"voxels and {precision}: take a smaller batch{lighter} or a smaller patch; rogseg estimate {config.filename} "
        "says what fits"
    )


def build_runner(config: Config, task: StoredTask, provenance: Provenance | None = None) -> TrainingRunner:
    """Everything that a training needs, built and not yet started.

    Args:
        config: from `load_config`.
        task: the stored task.
        provenance: what its checkpoints record; None is that of a training from scratch.

    Raises:
        ValueError: MMEngine or a component refuses its arguments.
    """
    device, plan, work_dir = device_of(config), plan_of(config), work_dir_of(config)
    if device.type == "cpu":
        keep_freed_memory()
    rank, world_size = place()
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
    loop["trainer"] = TRAINERS.build(seeded(config.trainer, config.seed))
    if config.validation is not None:
        trained_within = loop["trainer"].threat
        loop["validation"] = SelectionValidation(
            task.directory,
            selection_ids,
            plan,
            config.inference,
            **config.validation,
            threat=LinfThreat if trained_within is None else trained_within.threat_class,
            num_replays=loop["trainer"].num_replays,
            seed=config.seed,
        )
    last = work_dir / LAST
    resume = bool(config.resume) and last.is_file()
    try:
        return TrainingRunner(
            device=device,
            provenance=(provenance or provenance_of(config, task, world_size)).to_json(),
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
            env_cfg=dataclasses.asdict(EnvironmentSettings(**config.env_cfg)),
            visualizer=config.visualizer,
            default_scope=config.default_scope,
            log_level=config.log_level,
            randomness={"seed": config.seed},
            experiment_name=f"{Path(config.filename).stem}-{os.getpid()}-{next(RUN_NUMBERS)}",
            cfg=config,
        )
    except (
        AssertionError,
        ImportError,
        KeyError,
        TypeError,
    ) as error:  # MMEngine's words for values that it does not take
        raise ValueError(f"{config.filename}: MMEngine cannot build the training: {error}") from error


def _ensure_task_once(config: Config, task_dir: str | Path | None) -> StoredTask:
    # One process preprocesses while the others wait; then they read, too.
    if not is_first():
        wait_for_all()
        return ensure_stored_task(config, task_dir)
    task = ensure_stored_task(config, task_dir)
    refuse_changed_sources(task, touched_since_stored(task, task.folds(config.fold).train))
    wait_for_all()
    return task
