"""Memory of a config's training on the CPU, whose kernels are this project's own, and on a GPU."""

import contextlib
import copy
import dataclasses

import torch
from mmengine.config import Config
from torch import nn

from rogseg.engine.config.task import plan_of
from rogseg.engine.estimation.free_memory import free_gpu_memory, free_machine_memory
from rogseg.engine.estimation.optimizer import optim_wrapper_of
from rogseg.engine.estimation.smaller_patches import smaller_patches, voxel_ratio
from rogseg.engine.estimation.training_memory import TrainingMemory, patch_memory, state_bytes
from rogseg.task_plan import Triple
from rogseg.trainers import Trainer

__all__ = ["MemoryEstimate", "cpu_memory_estimate", "gpu_memory_estimate"]


@dataclasses.dataclass(frozen=True)
class MemoryEstimate:
    """Training memory on one kind of device.

    Args:
        place: ``CPU`` or ``GPU``.
        needed: what a step takes.
        counted_at: the patch that was counted [voxels]; a smaller one was scaled.
        budget: what there is [bytes]; None where nobody knows.
        budget_source: where the budget is from.
    """

    place: str
    needed: TrainingMemory
    counted_at: Triple
    budget: int | None
    budget_source: str


def gpu_memory_estimate(
    model: nn.Module, trainer: Trainer, config: Config, patch: Triple, budget: int | None
) -> MemoryEstimate:
    """Count the whole patch on the ``meta`` device, in float32 whatever the config's precision.

    Args:
        model: the network, on the CPU.
        trainer: says which loss.
        config: of the training.
        patch: [voxels].
        budget: memory to plan for [bytes]; None takes what is free on the GPU.
    """
    meta = copy.deepcopy(model).to("meta").to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    needed = TrainingMemory(
        state_bytes(model, config.optim_wrapper["optimizer"]),
        patch_memory(meta, trainer, plan_of(config), patch, contextlib.nullcontext()),
    )
    if budget is not None:
        return MemoryEstimate("GPU", needed, patch, budget, "--gpu-memory")
    return MemoryEstimate("GPU", needed, patch, free_gpu_memory(), "free on the GPU now")


def cpu_memory_estimate(model: nn.Module, trainer: Trainer, config: Config, patch: Triple) -> MemoryEstimate:
    """Count one pass on a small patch, in the config's precision, and scale by voxels; arguments as for a GPU."""
    small = smaller_patches(patch)[-1]
    precision = optim_wrapper_of(model, config.optim_wrapper).optim_context(model)
    counted = patch_memory(model, trainer, plan_of(config), small, precision)
    needed = TrainingMemory(
        state_bytes(model, config.optim_wrapper["optimizer"]), counted.scaled(voxel_ratio(patch, small))
    )
    return MemoryEstimate("CPU", needed, small, free_machine_memory(), "free on this machine now")
