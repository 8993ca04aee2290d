"""What one volume costs: memory of inference, and the passes of an attack, found by running it on a tiny network."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from rogseg.attacks import Attack, DiceBelow, ThreatModel
from rogseg.cases import Case, IntensityBox
from rogseg.estimation.calibration import PassSeconds, voxel_ratio
from rogseg.estimation.memory_counting import LiveMemory
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from rogseg.inference.windows import plan_windows
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["AttackPasses", "AttackTime", "VolumeMemory", "count_attack_passes", "volume_memory", "windows_per_axis"]

TINY_WINDOW = 8
# The tiny network takes many windows in one call; how many it took is counted all the same.
WINDOWS_PER_CALL = 64
# Memory of larger volumes is counted on a copy with all lengths divided, which takes a moment instead of the memory.
MAX_VOXELS = 2**20


@dataclasses.dataclass(frozen=True)
class AttackPasses:
    """What an attack costs per case.

    Args:
        num_forward: forward passes over the whole case, as `AttackResult` counts them.
        num_backward: backward passes over the whole case.
        windows: of the case.
        copies: of each window that the network sees, itself and mirrored ones.
        forward_windows: windows that the network evaluated without a graph.
        gradient_windows: windows that went forward and backward to the inputs.
    """

    num_forward: int
    num_backward: int
    windows: int
    copies: int
    forward_windows: int
    gradient_windows: int


@dataclasses.dataclass(frozen=True)
class AttackTime:
    """One attack on one case at one epsilon.

    Args:
        passes: over the windows of the case.
        seconds: wall time [s].
    """

    passes: AttackPasses
    seconds: float

    @classmethod
    def of(cls, passes: AttackPasses, window: PassSeconds) -> "AttackTime":
        """From the seconds of one window."""
        seconds = passes.forward_windows * window.forward + passes.gradient_windows * window.input_gradient
        return cls(passes, seconds)


class CountingNetwork:
    """A pointwise convolution that counts windows: (B, C, D, H, W) -> (B, K, D, H, W)."""

    def __init__(self, num_channels: int, num_classes: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(num_classes, num_channels, 1, 1, 1, generator=generator)
        self.forward_windows = self.gradient_windows = 0

    def __call__(self, windows: Tensor) -> Tensor:
        if torch.is_grad_enabled() and windows.requires_grad:
            self.gradient_windows += len(windows)
        else:
            self.forward_windows += len(windows)
        return functional.conv3d(windows, self.weight)


def windows_per_axis(volume: Triple, window: Triple, overlap: float) -> Triple:
    """How many windows a volume takes along each axis; a volume smaller than the window is padded to one."""
    x, y, z = (max(length, extent) for length, extent in zip(volume, window, strict=True))
    first, second, third = plan_windows((x, y, z), window, overlap).starts
    return len(first), len(second), len(third)


def count_attack_passes(
    attack: Attack,
    make_threat: Callable[[float, Case], ThreatModel],
    epsilon: float,
    plan: TaskPlan,
    windows: Sequence[int],
    overlap: float,
    mirror_axes: Sequence[int] = (),
) -> AttackPasses:
    """Attack a tiny volume through the same sliding window with as many windows along each axis.

    The criterion is never met, so that a cascade runs all of its members: a case that falls early costs less. Square
    is counted by the windows that its cuboids touch; where these lie on the real volume differs a little.

    Args:
        attack: as it will run.
        make_threat: epsilon and case -> threat model.
        epsilon: in the threat's unit.
        plan: number of channels and classes, intensity box.
        windows: along each axis; (1, 1, 1) is the protocol ``patch``.
        overlap: of the windows.
        mirror_axes: along which windows are mirrored; every copy counts as a window that the network evaluated.
    """
    step = max(1, int(TINY_WINDOW * (1 - overlap)))
    shape = [TINY_WINDOW + (number - 1) * step for number in windows]
    network = CountingNetwork(plan.num_channels, plan.num_classes)
    volume_logits = VolumeLogits(
        network, (TINY_WINDOW,) * 3, overlap, mirror_axes=mirror_axes, window_batch=WINDOWS_PER_CALL
    )
    case, targets = _noise_case(plan, shape)
    result = attack(
        RegionVolumeLogits(volume_logits),
        case.inputs,
        targets,
        make_threat(epsilon, case),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    return AttackPasses(
        result.num_forward,
        result.num_backward,
        math.prod(windows),
        len(volume_logits.models),
        network.forward_windows,
        network.gradient_windows,
    )


def _noise_case(plan: TaskPlan, shape: Sequence[int]) -> tuple[Case, Tensor]:
    generator = torch.Generator().manual_seed(0)
    lower, upper = zip(*(channel.box for channel in plan.channels), strict=True)
    box = IntensityBox.per_channel(lower, upper)
    inputs = box.lower + box.width * torch.rand(1, plan.num_channels, *shape, generator=generator)
    targets = torch.randint(plan.num_classes, (1, *shape), generator=generator)
    raw_width = tuple(channel.upper - channel.lower for channel in plan.channels)
    return Case("noise", inputs.clamp(box.lower, box.upper), targets, box, raw_width=raw_width), targets


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
