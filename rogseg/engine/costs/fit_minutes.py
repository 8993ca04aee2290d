"""A schedule that ends when the time is over: its length comes from timing the network on this machine."""

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.attacks import FGSM, LinfThreat
from rogseg.cases import Case
from rogseg.engine.config.task import plan_of
from rogseg.engine.costs.training_costs import calibration_of, median_shape, seconds_per_patch
from rogseg.engine.device import keep_freed_memory
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.engine.training.processes import device_of
from rogseg.engine.training.starting_weights import starting_weights
from rogseg.engine.training.training_data import split_of
from rogseg.engine.training.work_dir import work_dir_of
from rogseg.estimation.calibration import Calibration
from rogseg.estimation.training_memory import cpu_memory_estimate, gpu_memory_estimate
from rogseg.estimation.volume_costs import AttackTime, count_attack_passes, windows_per_axis
from rogseg.models.checkpoints import LAST, read_checkpoint
from rogseg.registry import ATTACKS, MODELS, TRAINERS
from rogseg.task_plan import Triple

__all__ = ["ShortSchedule", "fit_minutes", "short_schedule"]

# Of the time; the rest is a reserve, since other processes and warm caches make a calibration err.
SHARE_USED = 0.9
VALIDATION_SHARE = 0.2
MAX_EPOCHS = 20
CALIBRATION_SHARE = 0.05
MAX_CALIBRATION = 60.0  # [s]


@dataclasses.dataclass(frozen=True)
class ShortSchedule:
    """Epochs, each of which ends with a validation.

    Args:
        num_epochs: of them.
        num_iterations: mini-batches per epoch.
    """

    num_epochs: int
    num_iterations: int

    def overrides(self, num_replays: int) -> dict[str, Any]:
        """The keys of a config that make it train so, under one cycle of the learning rate.

        Args:
            num_replays: of the trainer, by which the training loop divides epochs and intervals.
        """
        return {
            "train_cfg.max_epochs": self.num_epochs * num_replays,
            "train_cfg.iterations_per_epoch": self.num_iterations,
            "validation.interval": num_replays,
            "validation.volume_interval": num_replays,
            "param_scheduler": [{"type": "OneCycle", "by_epoch": False}],
            "plateau": None,
        }


def short_schedule(seconds: float, iteration: float, validation: float, together: int = 1) -> ShortSchedule:
    """Divide a time into epochs, a fifth of it at most for validation where more than one fits.

    Args:
        seconds: that may be used [s].
        iteration: of one mini-batch [s].
        validation: at the end of an epoch [s].
        together: mini-batches whose gradients are accumulated, of which an epoch has a whole number.

    Raises:
        ValueError: not even one update of the weights and one validation fit.
    """
    update = together * iteration
    affordable = MAX_EPOCHS if validation <= 0 else int(VALIDATION_SHARE * seconds / validation)
    num_epochs = max(1, min(MAX_EPOCHS, affordable, int(seconds / (update + validation))))
    num_updates = math.floor((seconds - num_epochs * validation) / num_epochs / update)
    if num_updates < 1:
        what = "one mini-batch takes" if together == 1 else f"the {together} mini-batches of an update take"
        raise ValueError(
            f"--minutes leaves {max(0.0, seconds):.1f} s for training, but {what} {update:.1f} s and "
            f"a validation {validation:.1f} s: give more minutes, a smaller patch or fewer validation.max_volumes"
        )
    return ShortSchedule(num_epochs, num_updates * together)


def fit_minutes(config: Config, minutes: float, task_dir: str | Path | None = None) -> dict[str, Any]:
    """Time the network and give the overrides of a config that train it for so long; preprocessing does not count.

    A training that is resumed keeps the schedule that it began with, and is refused for other minutes.

    Raises:
        ValueError: no time at all or no end of it, several processes, or a stage before this training that is not
            trained yet.
    """
    if not 0 < minutes < math.inf:
        raise ValueError(f"--minutes {minutes} must be above 0, and a number: write for instance 30")
    if config.launcher != "none":
        raise ValueError("--minutes times one process: leave it or --launcher out")
    last = work_dir_of(config) / LAST
    if config.resume and last.is_file():
        return _begun_schedule(last).overrides(TRAINERS.build(dict(config.trainer)).num_replays)
    _check_start(config, minutes, task_dir)
    task = ensure_stored_task(config, task_dir)
    begin, device = time.monotonic(), device_of(config)
    if device.type == "cpu":
        keep_freed_memory()
    plan, trainer, model = plan_of(config), TRAINERS.build(dict(config.trainer)), MODELS.build(config.model).train()
    patch: Triple = tuple(config.train_data["dataset"]["patch_size"])
    if device.type == "cpu":
        memory = cpu_memory_estimate(model, trainer, plan, config.optim_wrapper, patch)
    else:
        memory = gpu_memory_estimate(model, trainer, plan, config.optim_wrapper, patch, None)
    budget = min(MAX_CALIBRATION, CALIBRATION_SHARE * 60 * minutes)
    calibration = calibration_of(config, model, memory.needed, budget)
    iteration = config.train_data["batch_size"] * seconds_per_patch(trainer, calibration.at(patch))
    selection = len(split_of(config, task)[1])
    validation = _validation_seconds(config, calibration, selection, median_shape(task))
    left = SHARE_USED * 60 * minutes - (time.monotonic() - begin)
    accumulated = config.optim_wrapper.get("accumulative_counts", 1)  # gradient passes, of which a replay is one
    together = accumulated // math.gcd(accumulated, trainer.num_replays)
    schedule = short_schedule(left, iteration, validation, together)
    print(
        f"{minutes:g} minutes: {schedule.num_epochs} epochs of {schedule.num_iterations} mini-batches, each of "
        f"{iteration:.2g} s, and a validation of {validation:.2g} s, as timed on this machine",
        flush=True,
    )
    return schedule.overrides(trainer.num_replays)


def _begun_schedule(checkpoint: Path) -> ShortSchedule:
    state = read_checkpoint(checkpoint)
    schedulers, num_iterations = state["param_schedulers"], state["train_loop"]["iterations_per_epoch"]
    if not schedulers:
        raise ValueError(f"{checkpoint}: was not trained with --minutes: resume without it")
    return ShortSchedule(schedulers[0]["end"] // num_iterations, num_iterations)


def _check_start(config: Config, minutes: float, task_dir: str | Path | None) -> None:
    def refuse(stage: Path, _: Path) -> None:
        task = "" if task_dir is None else f" --task {task_dir}"
        raise ValueError(
            f"{config.filename} starts from {stage.stem}, which has not been trained, and --minutes counts for one "
            f"training: first run rogseg train {stage.stem}{task} --minutes {minutes:g}, or give "
            "--cfg-options init_from.checkpoint=FILE"
        )

    starting_weights(config, task_dir, refuse, say=lambda _: None)


def _validation_seconds(config: Config, calibration: Calibration, num_cases: int, volume: Triple | None) -> float:
    if config.validation is None:
        return 0.0
    settings, plan = config.validation, plan_of(config)
    window: Triple = tuple(config.inference["window_size"])
    overlap, mirror_axes = config.inference["overlap"], config.inference.get("mirror_axes", ())
    at_window = calibration.at(window)

    def number(key: str, default: int) -> int:
        value = settings.get(key, default)
        return num_cases if value is None else min(num_cases, value)

    windows = math.prod(windows_per_axis(volume or window, window, overlap)) * 2 ** len(mirror_axes)
    seconds = number("max_patches", 64) * calibration.at(plan.patch_size).forward
    seconds += number("max_volumes", 8) * windows * at_window.forward
    if settings.get("attack") is not None:

        def threat(epsilon: float, case: Case) -> LinfThreat:
            return LinfThreat.from_fraction(epsilon, case.box)

        for attack in (ATTACKS.build(dict(settings.attack)), FGSM()):
            epsilon = settings.get("epsilon", 8 / 255)
            passes = count_attack_passes(attack, threat, epsilon, plan, window, window, overlap, mirror_axes)
            seconds += number("max_attacked", 4) * AttackTime.of(passes, at_window).seconds
    return seconds
