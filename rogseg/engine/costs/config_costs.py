"""From a config to what training and attack will cost, told before either runs."""

import copy
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config

from rogseg.attacks import Attack
from rogseg.engine.attacking.threats import DEFAULT_THREAT, ThreatFactory
from rogseg.engine.config.load import load_attack_config, load_config
from rogseg.engine.config.task import plan_of, sizes_not_taken
from rogseg.engine.console import print_table
from rogseg.engine.costs.training_costs import calibration_of, median_shape, num_training_cases, training_time
from rogseg.engine.device import keep_freed_memory
from rogseg.engine.stored_task import stored_if_any
from rogseg.engine.training.processes import device_of
from rogseg.estimation.cost_estimate import CostEstimate, VolumeEstimate, count_macs, count_parameters
from rogseg.estimation.estimate_table import estimate_table
from rogseg.estimation.sizes import format_size, parse_memory, parse_size
from rogseg.estimation.training_memory import cpu_memory_estimate, gpu_memory_estimate
from rogseg.estimation.volume_costs import AttackTime, count_attack_passes, volume_memory
from rogseg.preprocessing.memory_limit import MAX_VOXELS
from rogseg.registry import ATTACKS, MODELS, TRAINERS
from rogseg.task_plan import Triple

__all__ = ["estimate_costs"]


def estimate_costs(
    config: str | Path,
    attack: str | Path,
    *,
    task: str | Path | None = None,
    gpu_memory: str | None = None,
    volume: str | None = None,
    seconds: float = 60.0,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
    attack_options: Sequence[str] = (),
) -> CostEstimate:
    """Count, calibrate, multiply out and print a table; see ``rogseg estimate --help``.

    Raises:
        ValueError: something in the arguments or configs is wrong; the message says what to do.
    """
    if not seconds > 0:
        raise ValueError(f"--seconds {seconds} must be above 0: write for instance 60")
    gpu_budget = None if gpu_memory is None else parse_memory("--gpu-memory", gpu_memory)
    given_size = None if volume is None else parse_size("--volume", volume)
    options = [*cfg_options, *([] if device is None else [f"device={device}"])]
    cfg, attack_cfg = load_config(config, options, task), load_attack_config(attack, list(attack_options))
    plan, place = plan_of(cfg), device_of(cfg)
    stored = stored_if_any(cfg, task)
    if stored is not None and (notice := sizes_not_taken(cfg, stored.plan)):
        print(notice)
    trainer, model = TRAINERS.build(dict(cfg.trainer)), MODELS.build(cfg.model).train()
    patch: Triple = tuple(cfg.train_data["dataset"]["patch_size"])
    window: Triple = tuple(cfg.inference["window_size"])
    if given_size:
        _refuse_too_large(given_size, window)
    overlap, mirror_axes = cfg.inference["overlap"], cfg.inference.get("mirror_axes", ())

    memory = [gpu_memory_estimate(model, trainer, plan, cfg.optim_wrapper, patch, gpu_budget)]
    if place.type == "cpu":
        memory.insert(0, cpu_memory_estimate(model, trainer, plan, cfg.optim_wrapper, patch))
        keep_freed_memory()
    calibration = calibration_of(cfg, model, memory[0].needed, seconds)

    built: Attack = ATTACKS.build(attack_cfg.attack)
    threat = ThreatFactory(attack_cfg.get("threat", DEFAULT_THREAT))
    epsilon = attack_cfg.get("epsilons", [8 / 255])[0]

    def attack_time(attacked: Triple) -> AttackTime:
        passes = count_attack_passes(built, threat, epsilon, plan, attacked, window, overlap, mirror_axes)
        return AttackTime.of(passes, calibration.at(window))

    size = given_size or median_shape(stored)
    source = "--volume" if given_size else "median of the stored cases"
    meta = copy.deepcopy(model).to("meta")
    estimate = CostEstimate(
        config=Path(config).stem,
        task=plan.name,
        trainer=type(trainer).__name__,
        patch=patch,
        window=window,
        batch_size=cfg.train_data["batch_size"],
        precision=_precision(cfg),
        num_parameters=count_parameters(model),
        macs=count_macs(meta, (1, plan.num_channels, *patch)),
        memory=tuple(memory),
        device=_device_name(place),
        calibration=calibration,
        training=training_time(cfg, trainer, num_training_cases(cfg, stored), calibration.at(patch)),
        may_stop_early=cfg.plateau is not None,
        starts_from_stage=cfg.get("init_from") is not None,
        attack=Path(attack).stem,
        patch_attack=attack_time(window),
        volume=None
        if size is None
        else VolumeEstimate(size, source, volume_memory(plan, size, window), attack_time(size)),
    )
    print_table(estimate_table(estimate))
    return estimate


def _refuse_too_large(size: Triple, window: Triple) -> None:
    voxels = math.prod(max(length, extent) for length, extent in zip(size, window, strict=True))
    if voxels > MAX_VOXELS:
        raise ValueError(
            f"--volume {format_size(size)} has {voxels:,} voxels where it is padded to at least a window of "
            f"{format_size(window)}, more than any network takes: give a volume on the network's grid, of at most "
            f"{MAX_VOXELS:,}"
        )


def _precision(cfg: Config) -> str | None:
    if cfg.optim_wrapper["type"] == "OptimWrapper":
        return None
    return str(cfg.optim_wrapper.get("dtype", "bfloat16"))


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"this machine's CPU, {torch.get_num_threads()} thread(s)"
