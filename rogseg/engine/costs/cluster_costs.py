"""Hours of ten tasks on many devices: trainings and attacks, from what one such device was measured to take."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import torch
from mmengine.config import Config

from rogseg.attacks import Attack
from rogseg.command_line import nearest
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.threats import ThreatFactory
from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.console import print_table
from rogseg.engine.costs.training_costs import calibration_of, num_training_cases, training_time
from rogseg.engine.device import choose_device, take_device
from rogseg.engine.digests import processor
from rogseg.engine.stored_task import stored_if_any
from rogseg.estimation.calibration import Calibration, DeviceCalibration, DeviceCount, parse_devices
from rogseg.estimation.estimate_table import ClusterHours, TaskHours, cluster_table
from rogseg.estimation.schedule import PlannedJob, simulate
from rogseg.estimation.training_memory import gpu_memory_estimate
from rogseg.estimation.volume_costs import AttackPasses, AttackTime, count_attack_passes, windows_per_axis
from rogseg.foreign import read_json
from rogseg.registry import ATTACKS, MODELS, TRAINERS
from rogseg.shipped_configs import find_config
from rogseg.storage import write_json_atomic
from rogseg.storage.splits import published_fold
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan, Triple

__all__ = ["TASKS", "calibrate_device", "estimate_cluster"]

TASKS = (
    "braintumour", "heart", "liver", "hippocampus", "prostate", "lung", "pancreas", "hepaticvessel", "spleen", "colon",
)  # fmt: skip
TRAININGS = {"standard": "rog_standard_{}", "Free AT": "rog_freeat_{}"}
ATTACKED_BY = {"AutoAttack": "autoattack", "ensemble": "segmentation_ensemble"}
NUMBERS = (1, 8, 64)  # of devices, beside the number that was asked for


def calibrate_device(out: Path, *, tasks: Sequence[str] = TASKS, seconds: float, device: str | None) -> None:
    """Time the networks of some tasks on this machine's device and keep that as a file.

    Raises:
        ValueError: an unknown task, or no time.
    """
    measured = _measure(_known(tasks), seconds, device)
    write_json_atomic(out, dataclasses.asdict(measured))
    print(f"{out}: {len(measured.networks)} networks on {measured.device}")


def estimate_cluster(
    devices: str, *, calibration: Path | None, tasks: Sequence[str] = TASKS, seconds: float, device: str | None
) -> ClusterHours:
    """Reckon and print; see ``rogseg estimate --help``.

    Raises:
        ValueError: nothing is known of such devices, or an argument is wrong.
    """
    asked, tasks = parse_devices(devices), _known(tasks)
    if calibration is not None:
        measured = DeviceCalibration.load(calibration)
        _refuse_other(asked, measured.device, str(calibration))
    else:
        _refuse_other(asked, _device_name(device), "this machine")
        measured = _measure(tasks, seconds, device)
    missing = [task for task in tasks if _name(task) not in measured.networks]
    if missing:
        raise ValueError(
            f"{calibration}: has no times of {', '.join(missing)}: calibrate with --tasks {' '.join(tasks)}, or "
            "ask for those that it has"
        )
    rows, jobs = [], []
    for task in tasks:
        row, its = _task_hours(task, measured.networks[_name(task)])
        rows.append(row)
        jobs += its
    numbers = sorted({*NUMBERS, asked.number})
    hours = ClusterHours(measured.device, tuple(rows), {number: simulate(jobs, number) for number in numbers})
    print_table(cluster_table(hours))
    return hours


def _task_hours(task: str, calibration: Calibration) -> tuple[TaskHours, list[PlannedJob]]:
    seconds: dict[str, float] = {}
    jobs: list[PlannedJob] = []
    for name, pattern in TRAININGS.items():
        config = _config(pattern.format(task))
        trainer = TRAINERS.build(dict(config.trainer))
        patch = calibration.at(tuple(config.train_data["dataset"]["patch_size"]))
        training = training_time(config, trainer, num_training_cases(config, stored_if_any(config)), patch)
        if training is None:
            raise ValueError(f"{config.filename}: its number of training cases is not known")
        seconds[name] = 3600 * training.hours
        # Free AT starts from the standard network.
        jobs.append(PlannedJob(f"{task}: {name}", seconds[name], jobs[-1].name if jobs else None))
    trained, plan = jobs[-1].name, plan_of(config)
    window: Triple = tuple(config.inference["window_size"])
    overlap = config.inference["overlap"]
    sizes, source = _sizes(config, plan)
    for name, attack in ATTACKED_BY.items():
        passes = _passes_of_a_window(attack, plan.num_channels, plan.num_classes)
        of_window = AttackTime.of(passes, calibration.at(window)).seconds
        cases = [of_window * math.prod(windows_per_axis(size, window, overlap)) for size in sizes]
        seconds[name] = sum(cases)
        jobs += [PlannedJob(f"{task}: {name}, case {n}", one, trained) for n, one in enumerate(cases, start=1)]
    return TaskHours(plan.name, len(sizes), source, seconds), jobs


def _sizes(config: Config, plan: TaskPlan) -> tuple[list[Triple], str]:
    """Of the validation cases on the network's grid: as they are stored, else all of the published median size."""
    task = stored_if_any(config)
    if task is not None:
        ids = set(task.folds(config.fold).validation) & set(task.case_ids)
        return [task.case(case_id).properties.network_shape for case_id in sorted(ids)], "as stored"
    fold = published_fold(plan.name)
    assert fold is not None, "the ten tasks have a published fold"
    published = _published_sizes()[plan.name]
    lengths = (
        max(1, round(length * old / new))
        for length, old, new in zip(published["median_shape"], published["median_spacing"], plan.spacing, strict=True)
    )
    x, y, z = lengths
    return [(x, y, z)] * len(fold.validation), "all of the median size"


@functools.cache
def _published_sizes() -> Mapping[str, Mapping[str, list[float]]]:
    """Median shape [voxels] and spacing [mm] of each task's raw images. Source: the fingerprints released with ROG."""
    with resources.as_file(resources.files("rogseg.estimation").joinpath("published_sizes.json")) as path:
        content: Mapping[str, Mapping[str, list[float]]] = read_json(path, "install rogseg again")
    return content


@functools.cache
def _passes_of_a_window(attack: str, num_channels: int, num_classes: int) -> AttackPasses:
    """Of a shipped attack on one window; a volume costs at most so many times its windows.

    Square's cuboids touch some of a volume's windows each, so that it costs less than that.
    """
    settings = AttackSettings.load(find_config(attack, "attack"))
    built: Attack = ATTACKS.build(dict(settings.attack))
    names = tuple(f"class {number}" for number in range(1, num_classes))
    channel = ChannelIntensity("CT", rescale=False, lower=-100.0, upper=200.0, mean=20.0, std=50.0)
    plan = dataclasses.replace(
        plan_of(_config("rog_standard_hippocampus")),
        channels=(channel,) * num_channels,
        classes=tuple(ForegroundClass(name, "organ") for name in names),
        label_values=tuple(range(num_classes)),
    )
    threat, window = ThreatFactory(settings.threat), plan.window_size
    return count_attack_passes(built, threat, settings.epsilons[0], plan, window, window, 0.5)


def _measure(tasks: Sequence[str], seconds: float, device: str | None) -> DeviceCalibration:
    if not seconds > 0:
        raise ValueError(f"--seconds {seconds} must be above 0: write for instance 60")
    chosen, networks = take_device(device), {}
    for task in tasks:
        config = _config(f"rog_standard_{task}", [f"device={chosen}"])
        model, trainer = MODELS.build(config.model).train(), TRAINERS.build(dict(config.trainer))
        patch: Triple = tuple(config.train_data["dataset"]["patch_size"])
        memory = gpu_memory_estimate(model, trainer, plan_of(config), config.optim_wrapper, patch, None)
        networks[_name(task)] = calibration_of(config, model, memory.needed, seconds / len(tasks))
    return DeviceCalibration(_device_name(device), networks)


def _device_name(device: str | None) -> str:
    chosen = choose_device(device)
    if chosen.type == "cuda":
        return torch.cuda.get_device_name(chosen)
    return f"{chosen.type}: {processor()}, {torch.get_num_threads()} thread(s)"


def _refuse_other(asked: DeviceCount, measured: str, where: str) -> None:
    if asked.kind.lower() not in measured.lower():
        raise ValueError(
            f"--cluster: nothing is known of {asked.kind!r}; {where} is of {measured!r}, and hours of one device say "
            f"nothing of another: run 'rogseg estimate --calibrate {asked.kind}.json' on such a device, and pass "
            f"--calibration {asked.kind}.json here"
        )


def _known(tasks: Sequence[str]) -> tuple[str, ...]:
    for task in tasks:
        if task not in TASKS:
            raise ValueError(f"--tasks: there is no task {task!r}: {nearest(task, TASKS)}")
    return tuple(dict.fromkeys(tasks))


def _name(task: str) -> str:
    return plan_of(_config(f"rog_standard_{task}")).name


def _config(name: str, options: Sequence[str] = ()) -> Config:
    return load_config(find_config(name), list(options))
