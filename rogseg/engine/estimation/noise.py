"""A mini-batch of noise."""

import torch

from rogseg.cases import Batch, IntensityBox
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["random_batch"]


def random_batch(plan: TaskPlan, size: Triple, device: torch.device) -> Batch:
    """One patch of noise inside the box of a task, as a trainer gets it: inputs (1, C, *size)."""
    generator = torch.Generator().manual_seed(0)
    box = IntensityBox.per_channel(*zip(*(channel.box for channel in plan.channels), strict=True))
    inputs = box.lower + box.width * torch.rand(1, plan.num_channels, *size, generator=generator)
    targets = torch.randint(plan.num_classes, (1, *size), generator=generator)
    movable = torch.ones((1, 1, *size), dtype=torch.bool)
    return Batch(("noise",), inputs, targets, box, movable).to(device)
