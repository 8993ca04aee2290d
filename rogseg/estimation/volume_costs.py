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
from rogseg.estimation.window_counting import WindowCounter, divided
from rogseg.inference import VolumeLogits
from rogseg.inference.windows import plan_windows
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["AttackPasses", "AttackTime", "VolumeMemory", "count_attack_passes", "volume_memory", "windows_per_axis"]

# Square's cuboids are rounded to voxels: with as many, the windows that they touch are counted within 2%.
MAX_ATTACKED_VOXELS = 2**13
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
    volume: Triple,
    window: Triple,
    overlap: float,
    mirror_axes: Sequence[int] = (),
) -> AttackPasses:
    """Attack noise on a small copy of a volume, and count the windows that the real volume would have cost.

    The criterion is never met, so that a cascade runs all of its members: a case that falls early costs less. Square
    is counted by the windows that its cuboids touch, within a few per cent where the volume had to be shrunk; all
    other attacks exactly, unless what the network says decides how many passes they make.

    Args:
        attack: as it will run.
        make_threat: epsilon and case -> threat model.
        epsilon: in the threat's unit.
        plan: number of channels and classes, intensity box.
        volume: [voxels]; one window's size is the protocol ``patch``.
        window: [voxels].
        overlap: of the windows.
        mirror_axes: along which windows are mirrored; every copy counts as a window that the network evaluated.
    """
    counter = WindowCounter(plan, volume, window, overlap, mirror_axes)
    case, targets = _noise_case(plan, divided(volume, _divisor(volume, MAX_ATTACKED_VOXELS)))
    result = attack(
        counter,
        case.inputs,
        targets,
        make_threat(epsilon, case),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    return AttackPasses(
        result.num_forward,
        result.num_backward,
        counter.num_windows,
        counter.num_copies,
        counter.forward_windows,
        counter.gradient_windows,
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


def volume_memory(plan: TaskPlan, volume: Triple, window: Triple) -> VolumeMemory:
    """Slide windows over the beginning of a volume, count, and follow the line on which bytes grow with voxels.

    The network is a pointwise convolution there, which holds a window's inputs and logits and no activations. What an
    attack keeps between its steps (the best iterate, the last move) comes on top. The windows do not overlap: those
    that do are more, but no more of them are held at a time.

    Args:
        plan: number of channels and classes.
        volume: [voxels].
        window: [voxels].
    """
    divisor = _divisor(_beginning(volume, window, 3), MAX_VOXELS)
    small, small_window = divided(volume, divisor), divided(window, divisor)
    # Padding, the blend and the gradient are in both, so that the line is the same however many windows there are.
    shorter, longer = (_beginning(small, small_window, number) for number in (2, 3))
    voxels = [math.prod(size) for size in (shorter, longer, small)]

    def follow(less: int, more: int) -> float:
        per_voxel = (more - less) / max(1, voxels[1] - voxels[0])
        return (more + (voxels[2] - voxels[1]) * per_voxel) * voxel_ratio(volume, small)

    both = (_peaks(plan, size, small_window) for size in (shorter, longer))
    inference, gradient = zip(*both, strict=True)
    return VolumeMemory(follow(*inference), follow(*gradient))


def _peaks(plan: TaskPlan, volume: Triple, window: Triple) -> tuple[int, int]:
    weight = torch.zeros(plan.num_classes, plan.num_channels, 1, 1, 1)
    logits = VolumeLogits(lambda windows: functional.conv3d(windows, weight), window, overlap=0)
    shape = (1, plan.num_channels, *volume)
    with LiveMemory((weight,)) as inference, torch.no_grad():
        logits(torch.zeros(shape))
    with LiveMemory((weight,)) as gradient:
        leaf = torch.zeros(shape).requires_grad_()
        blended = logits(leaf)
        torch.autograd.grad(blended, leaf, torch.zeros_like(blended))
    return inference.peak, gradient.peak


def _beginning(volume: Triple, window: Triple, number: int) -> Triple:
    """Cut so that no axis is longer than so many windows."""
    x, y, z = (min(length, number * extent) for length, extent in zip(volume, window, strict=True))
    return x, y, z


def _divisor(size: Triple, limit: int) -> int:
    """Of all lengths, so that about ``limit`` voxels are left at most."""
    return math.ceil((math.prod(size) / limit) ** (1 / 3))
