"""How long the training of a config takes, from the seconds of one patch and what is known of its cases."""

import statistics

from mmengine.config import Config
from torch import nn

from rogseg.engine.config.task import plan_of
from rogseg.engine.training.processes import device_of
from rogseg.engine.training.train_loop import divide_epochs
from rogseg.engine.training.training_data import split_of
from rogseg.estimation.calibration import Calibration, PassSeconds, calibrate, smaller_patches, voxel_ratio
from rogseg.estimation.cost_estimate import TrainingTime
from rogseg.estimation.memory_counting import free_gpu_memory, free_machine_memory
from rogseg.estimation.timed_passes import TimedPasses
from rogseg.estimation.training_memory import TrainingMemory
from rogseg.storage import StoredTask, split_for_selection
from rogseg.storage.splits import published_fold
from rogseg.task_plan import Triple
from rogseg.trainers import Trainer

__all__ = ["calibration_of", "median_shape", "num_training_cases", "seconds_per_patch", "training_time"]


def training_time(config: Config, trainer: Trainer, num_cases: int | None, seconds: PassSeconds) -> TrainingTime | None:
    """Multiply the passes of an epoch out, one process, a mini-batch counted as its patches one after the other.

    Args:
        config: its ``train_cfg`` and ``train_data.batch_size``.
        trainer: passes per mini-batch.
        num_cases: that are trained on, for configs that take one patch of each per epoch.
        seconds: of one patch.

    Returns:
        None where the config asks for one patch per case and the cases are not known.
    """
    batch_size = config.train_data["batch_size"]
    num_iterations = config.train_cfg.get("iterations_per_epoch")
    if num_iterations is None:
        if num_cases is None:
            return None
        num_iterations = max(1, num_cases // batch_size)
    num_epochs = divide_epochs(config.train_cfg["max_epochs"], trainer.num_replays)
    return TrainingTime(num_iterations, num_epochs, num_iterations * batch_size * seconds_per_patch(trainer, seconds))


def seconds_per_patch(trainer: Trainer, seconds: PassSeconds) -> float:
    """What a trainer takes for one patch of a mini-batch, its replays included [s]."""
    return trainer.passes.training * seconds.training_step + trainer.passes.crafting * seconds.input_gradient


def calibration_of(config: Config, model: nn.Module, needed: TrainingMemory, seconds: float) -> Calibration:
    """Time the passes of a network on the config's device, on the largest patch that fits memory and time.

    Args:
        config: device, optimizer, patch and task.
        model: the network, on the CPU.
        needed: memory of a training step on that device.
        seconds: budget of the calibration [s].
    """
    device, patch = device_of(config), tuple(config.train_data["dataset"]["patch_size"])
    free = free_machine_memory() if device.type == "cpu" else free_gpu_memory()
    sizes = smaller_patches(patch)
    if free is not None:
        fitting = [s for s in sizes if needed.state + voxel_ratio(s, patch) * needed.patch.total <= free]
        sizes = fitting or sizes[-1:]
    dtype = config.inference.get("dtype", "float32")
    return calibrate(TimedPasses(model, config.optim_wrapper, plan_of(config), device, dtype), sizes, seconds)


def num_training_cases(config: Config, task: StoredTask | None) -> int | None:
    """Cases that are trained on: of the stored task, else of the published fold; None where neither is there."""
    if task is not None:
        return len(split_of(config, task)[0])
    fold = published_fold(plan_of(config).name)
    # Only fold 0 is published; the others are split from it when the task is stored.
    if fold is None or config.fold != 0:
        return None
    return len(split_for_selection(fold.train, config.selection_fraction, config.seed, fold.added)[0])


def median_shape(task: StoredTask | None) -> Triple | None:
    """Median extent of the stored cases on the network's grid [voxels]; None where nothing is stored."""
    if task is None or not task.case_ids:
        return None
    shapes = [task.case(case_id).properties.network_shape for case_id in task.case_ids]
    x, y, z = (round(statistics.median(lengths)) for lengths in zip(*shapes, strict=True))
    return x, y, z
