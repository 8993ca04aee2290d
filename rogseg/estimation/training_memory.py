"""Memory of a training step: what is there anyway, what each patch adds, which batch fits, on a CPU and on a GPU."""

import contextlib
import copy
import dataclasses
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from rogseg.estimation.calibration import smaller_patches, voxel_ratio
from rogseg.estimation.memory_counting import LiveMemory, free_gpu_memory, free_machine_memory, saved_bytes
from rogseg.estimation.timed_passes import optim_wrapper_of, random_batch
from rogseg.task_plan import TaskPlan, Triple
from rogseg.trainers import Trainer, total_loss

__all__ = [
    "MemoryEstimate",
    "PatchMemory",
    "TrainingMemory",
    "cpu_memory_estimate",
    "gpu_memory_estimate",
    "patch_memory",
    "state_bytes",
]


@dataclasses.dataclass(frozen=True)
class PatchMemory:
    """What one patch adds to a training step.

    Args:
        saved: tensors kept for the backward pass [bytes].
        transient: the most that is alive beside them, such as gradients of activations on their way [bytes].
    """

    saved: float
    transient: float

    @property
    def total(self) -> float:
        """[bytes]."""
        return self.saved + self.transient

    def scaled(self, factor: float) -> "PatchMemory":
        """That of a patch with so many times the voxels: activations grow with the voxels, parameters are not in it."""
        return PatchMemory(self.saved * factor, self.transient * factor)


@dataclasses.dataclass(frozen=True)
class TrainingMemory:
    """Memory of a training step.

    Args:
        state: parameters, gradients and state of the optimizer [bytes].
        patch: what each patch of the batch adds.
    """

    state: int
    patch: PatchMemory

    def of_batch(self, batch_size: int) -> float:
        """[bytes]."""
        return self.state + batch_size * self.patch.total

    def largest_batch(self, memory: float) -> int:
        """Patches that fit into so many bytes; 0 where not even one does."""
        return max(0, int((memory - self.state) // self.patch.total))


def patch_memory(
    model: nn.Module,
    trainer: Trainer,
    plan: TaskPlan,
    size: Triple,
    precision: AbstractContextManager[None],
) -> PatchMemory:
    """Run forward and backward once and count.

    ``saved`` are the storages that autograd keeps, each once and without parameters. ``transient`` is the difference
    between the most that tensors held at one time in forward and backward (`LiveMemory`) and ``saved``. Gradients of
    the parameters count as state and are left out of both. What only lives inside of one operation is in neither.

    Args:
        model: on ``meta``, which takes the path of GPUs without computing anything, or on the CPU, whose kernels run.
        trainer: says which loss.
        plan: of the task.
        size: of the patch [voxels].
        precision: what the forward pass runs in, for instance autocast.
    """
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    live = LiveMemory((*parameters, *gradients))
    with live:
        batch = random_batch(plan, size, parameters[0].device)
        with precision:
            # The batch's own inputs stand for what `step` makes of them, which has no value on ``meta``. Crafting
            # itself holds a smaller graph: no weight needs a gradient in it.
            saved, loss = saved_bytes(lambda: total_loss(trainer.losses(model, batch, batch.inputs))[0], parameters)
        loss.backward()  # type: ignore[no-untyped-call]
    model.zero_grad()
    return PatchMemory(saved, max(0, live.peak - saved))


def state_bytes(model: nn.Module, optimizer: Mapping[str, Any]) -> int:
    """Parameters, gradients and state of the optimizer [bytes]; the optimizer is asked, by one step of a copy.

    Args:
        model: the network, on the CPU.
        optimizer: its config, as under ``optim_wrapper``.
    """
    model = copy.deepcopy(model)
    wrapper = optim_wrapper_of(model, {"type": "OptimWrapper", "optimizer": dict(optimizer)})
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    wrapper.optimizer.step()
    state = [value for entry in wrapper.optimizer.state.values() for value in entry.values()]
    tensors = [*model.parameters(), *model.parameters(), *model.buffers()]
    tensors += [value for value in state if isinstance(value, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


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
    model: nn.Module,
    trainer: Trainer,
    plan: TaskPlan,
    optim_wrapper: Mapping[str, Any],
    patch: Triple,
    budget: int | None,
) -> MemoryEstimate:
    """Count the whole patch on the ``meta`` device, in float32 whatever the config's precision.

    Args:
        model: the network, on the CPU.
        trainer: says which loss.
        plan: of the task.
        optim_wrapper: config of precision and optimizer.
        patch: [voxels].
        budget: memory to plan for [bytes]; None takes what is free on the GPU.
    """
    meta = copy.deepcopy(model).to("meta")
    needed = TrainingMemory(
        state_bytes(model, optim_wrapper["optimizer"]),
        patch_memory(meta, trainer, plan, patch, contextlib.nullcontext()),
    )
    if budget is not None:
        return MemoryEstimate("GPU", needed, patch, budget, "--gpu-memory")
    return MemoryEstimate("GPU", needed, patch, free_gpu_memory(), "free on the GPU now")


def cpu_memory_estimate(
    model: nn.Module, trainer: Trainer, plan: TaskPlan, optim_wrapper: Mapping[str, Any], patch: Triple
) -> MemoryEstimate:
    """Count one pass on a small patch, in the config's precision, and scale by voxels; arguments as for a GPU."""
    small = smaller_patches(patch)[-1]
    precision = optim_wrapper_of(model, optim_wrapper).optim_context(model)
    counted = patch_memory(model, trainer, plan, small, precision)
    needed = TrainingMemory(state_bytes(model, optim_wrapper["optimizer"]), counted.scaled(voxel_ratio(patch, small)))
    return MemoryEstimate("CPU", needed, small, free_machine_memory(), "free on this machine now")
