"""What whole-volume inference holds besides the network's work on one window."""

import dataclasses
import math

import torch
from torch.nn import functional

from rogseg.engine.estimation.live_memory import LiveMemory
from rogseg.engine.estimation.smaller_patches import voxel_ratio
from rogseg.inference import VolumeLogits
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["VolumeMemory", "volume_memory"]

# Larger volumes are counted on a copy with all lengths divided, which takes a moment instead of the memory itself.
MAX_VOXELS = 2**20


@dataclasses.dataclass(frozen=True)
class VolumeMemory:
    """Peaks [bytes].

    Args:
        inference: volume and blended logits.
        gradient: the same with the gradient for the volume, as each step of an attack asks for.
    """

    inference: float
    gradient: float


def volume_memory(plan: TaskPlan, volume: Triple, window: Triple, overlap: float) -> VolumeMemory:
    """Slide windows over a volume, count, and scale by voxels where the volume had to be shrunk.

    The network is a pointwise convolution there, which holds a window's inputs and logits and no activations. What an
    attack keeps between its steps (the best iterate, the last move) comes on top.

    Args:
        plan: number of channels and classes.
        volume: [voxels].
        window: [voxels].
        overlap: of the windows.
    """
    divisor = math.ceil((math.prod(volume) / MAX_VOXELS) ** (1 / 3))
    small, small_window = _divided(volume, divisor), _divided(window, divisor)
    weight = torch.zeros(plan.num_classes, plan.num_channels, 1, 1, 1)
    logits = VolumeLogits(lambda windows: functional.conv3d(windows, weight), small_window, overlap)
    shape = (1, plan.num_channels, *small)
    with LiveMemory((weight,)) as inference, torch.no_grad():
        logits(torch.zeros(shape))
    with LiveMemory((weight,)) as gradient:
        leaf = torch.zeros(shape).requires_grad_()
        blended = logits(leaf)
        torch.autograd.grad(blended, leaf, torch.zeros_like(blended))
    factor = voxel_ratio(volume, small)
    return VolumeMemory(inference.peak * factor, gradient.peak * factor)


def _divided(size: Triple, divisor: int) -> Triple:
    x, y, z = (max(1, round(length / divisor)) for length in size)
    return x, y, z
