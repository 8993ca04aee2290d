"""How many passes of the network an attack makes on one case, found by running it on a tiny network."""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from rogseg.attacks import Attack, DiceBelow
from rogseg.cases import IntensityBox
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.engine.attacking.threats import ThreatFactory
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from rogseg.inference.windows import plan_windows
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["AttackPasses", "count_attack_passes", "windows_per_axis"]

TINY_WINDOW = 8
# The tiny network takes many windows in one call; how many it took is counted all the same.
WINDOWS_PER_CALL = 64


@dataclasses.dataclass(frozen=True)
class AttackPasses:
    """What an attack costs per case.

    Args:
        num_forward: forward passes over the whole case, as `AttackResult` counts them.
        num_backward: backward passes over the whole case.
        windows: of the case.
        forward_windows: windows that the network evaluated without a graph.
        gradient_windows: windows that went forward and backward to the inputs.
    """

    num_forward: int
    num_backward: int
    windows: int
    forward_windows: int
    gradient_windows: int


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
    attack: Attack, threat: ThreatFactory, epsilon: float, plan: TaskPlan, windows: Sequence[int], overlap: float
) -> AttackPasses:
    """Attack a tiny volume through the same sliding window with as many windows along each axis.

    The criterion is never met, so that a cascade runs all of its members: a case that falls early costs less. Square
    is counted by the windows that its cuboids touch; where these lie on the real volume differs a little.

    Args:
        attack: as it will run.
        threat: makes the threat model of the tiny case.
        epsilon: in the threat's unit.
        plan: number of channels and classes, intensity box.
        windows: along each axis; (1, 1, 1) is the protocol ``patch``.
        overlap: of the windows.
    """
    step = max(1, int(TINY_WINDOW * (1 - overlap)))
    shape = [TINY_WINDOW + (number - 1) * step for number in windows]
    network = CountingNetwork(plan.num_channels, plan.num_classes)
    model = RegionVolumeLogits(VolumeLogits(network, (TINY_WINDOW,) * 3, overlap, window_batch=WINDOWS_PER_CALL))
    case = _noise_case(plan, shape)
    result = attack(
        model,
        case.inputs,
        case.targets,
        threat(epsilon, case),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    number = windows[0] * windows[1] * windows[2]
    return AttackPasses(
        result.num_forward, result.num_backward, number, network.forward_windows, network.gradient_windows
    )


def _noise_case(plan: TaskPlan, shape: Sequence[int]) -> AttackCase:
    generator = torch.Generator().manual_seed(0)
    lower, upper = zip(*(channel.box for channel in plan.channels), strict=True)
    box = IntensityBox.per_channel(lower, upper)
    inputs = box.lower + box.width * torch.rand(1, plan.num_channels, *shape, generator=generator)
    return AttackCase(
        case_id="noise",
        inputs=inputs.clamp(box.lower, box.upper),
        targets=torch.randint(plan.num_classes, (1, *shape), generator=generator),
        box=box,
        raw_width=tuple(channel.upper - channel.lower for channel in plan.channels),
        region=(slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])),
    )
