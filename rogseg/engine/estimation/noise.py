"""A mini-batch of noise."""

import torch

from rogseg.task_plan import TaskPlan, Triple
from rogseg.trainers import Batch

__all__ = ["random_batch"]


def random_batch(plan: TaskPlan, size: Triple, device: torch.device) -> Batch:
    """One patch of noise inside the box of a task, as a trainer gets it: inputs (1, C, *size)."""
    generator = torch.Generator().manual_seed(0)
    lower, upper = (torch.tensor(bound).reshape(1, -1, 1, 1, 1) for bound in zip(*_boxes(plan), strict=True))
    inputs = lower + (upper - lower) * torch.rand(1, plan.num_channels, *size, generator=generator)
    targets = torch.randint(plan.num_classes, (1, *size), generator=generator)
    # Channels last on a GPU, as the training loop has it; the CPU's kernels bring about their own format.
    memory_format = torch.contiguous_format if device.type == "cpu" else torch.channels_last_3d
    return {
        "inputs": inputs.to(device, memory_format=memory_format),
        "targets": targets.to(device),
        "inside": torch.ones((1, 1, *size), dtype=torch.bool, device=device),
        "box_lower": lower.to(device),
        "box_upper": upper.to(device),
        "case_ids": ["noise"],
    }


def _boxes(plan: TaskPlan) -> list[tuple[float, float]]:
    return [channel.box for channel in plan.channels]
