"""A stand-in for a network slid over a volume: it computes next to nothing, and counts the windows all the same."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from rogseg.inference import VolumeLogits
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["WindowCounter", "divided"]


class WindowCounter:
    """Logits of a pointwise convolution, and how many windows a sliding network evaluates for them: a `RegionModel`.

    The windows are laid over the real volume and never cut out; what an attack works on may be a copy of the volume
    with all lengths divided. A pass over the whole volume counts all windows, which is exact. A cuboid counts those
    that it touches where it lies in the real volume: exact on a copy of full size, and on a smaller one off by what
    rounding makes of the cuboid's sides.

    Attributes:
        num_windows: of the volume.
        num_copies: of each window that the network evaluates, itself and mirrored ones.
        forward_windows: evaluated without a graph, copies included.
        gradient_windows: went forward and backward to the inputs, copies included.
    """

    def __init__(
        self, plan: TaskPlan, volume: Triple, window: Triple, overlap: float, mirror_axes: Sequence[int]
    ) -> None:
        """Lay the windows.

        Args:
            plan: number of channels and classes.
            volume: the real one, which is padded where it is smaller than the window [voxels].
            window: [voxels].
            overlap: of the windows.
            mirror_axes: along which windows are mirrored.
        """
        self._generator = torch.Generator().manual_seed(0)
        self._weight = torch.randn(plan.num_classes, plan.num_channels, 1, 1, 1, generator=self._generator)
        slid = VolumeLogits(self.evaluate, window, overlap, mirror_axes=mirror_axes)
        self._volume, self._padding = volume, slid.padding(torch.Size(volume))
        padded = [max(length, extent) for length, extent in zip(volume, window, strict=True)]
        self._grid = slid.grid(torch.Size(padded))
        self.num_windows = math.prod(len(starts) for starts in self._grid.starts)
        self.num_copies = len(slid.models)
        self.forward_windows = self.gradient_windows = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W), counted as `VolumeLogits` runs the windows."""
        logits, evaluated = self.evaluate(inputs), len(inputs) * self.num_windows * self.num_copies
        if not (torch.is_grad_enabled() and inputs.requires_grad):
            self.forward_windows += evaluated
        elif self.num_windows * self.num_copies == 1:
            # Plain autograd: the pass forward keeps its graph, and is part of the pass there and back.
            self.gradient_windows += evaluated
        else:
            self.forward_windows += evaluated
            logits.register_hook(self._count_backward)  # type: ignore[no-untyped-call]
        return logits

    def _count_backward(self, gradient: Tensor) -> None:
        self.gradient_windows += len(gradient) * self.num_windows * self.num_copies

    def evaluate(self, inputs: Tensor) -> Tensor:
        """The convolution alone; counts nothing."""
        # Every criterion takes the largest of the classes, which is much quicker where they lie side by side.
        return functional.conv3d(inputs, self._weight).contiguous(memory_format=torch.channels_last_3d)

    def open_case(self, inputs: Tensor) -> "_OpenCase":
        """Count the windows of (1, C, D, H, W) once, and from then on those that a cuboid touches."""
        self.forward_windows += self.num_windows * self.num_copies
        return _OpenCase(self.evaluate, self._count_touched, inputs)

    def _count_touched(self, region: Sequence[slice], size: torch.Size) -> None:
        """Count for a cuboid of the copy, whose shape is ``size``; on a copy of full size it lies where it lies."""
        real = []
        for cut, small, length, before in zip(region, size, self._volume, self._padding[-2::-2], strict=True):
            side = round((cut.stop - cut.start) * length / small)
            places, small_places = length - side + 1, small - (cut.stop - cut.start) + 1
            # One place in the copy is several in the volume. Were it always the first of them, the faces of cuboids and
            # of windows would fall together too often, and fewer windows be touched.
            within = float(torch.rand((), generator=self._generator))
            start = before + int((cut.start + within) * places / small_places)
            real.append(slice(start, start + side))
        self.forward_windows += self._grid.num_touched(real) * self.num_copies


class _OpenCase:
    """A volume that changes in one cuboid at a time; its logits change nowhere else.

    Attributes:
        logits: (1, K, D, H, W) of the volume as it stands.
    """

    def __init__(
        self, evaluate: Callable[[Tensor], Tensor], count: Callable[[Sequence[slice], torch.Size], None], inputs: Tensor
    ) -> None:
        self._evaluate, self._count = evaluate, count
        self.logits = evaluate(inputs.detach())

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        """The logits with ``values`` (1, C, d, h, w) in the cuboid; counts the windows that it touches."""
        self._count(region, self.logits.shape[2:])
        x, y, z = region
        self._changed = self.logits[..., x, y, z]
        self._before = self._changed.clone()
        self._changed.copy_(self._evaluate(values))
        return self.logits

    def accept(self) -> None:
        """Keep the change: it stands in the logits already."""

    def reject(self) -> None:
        """Undo the change."""
        self._changed.copy_(self._before)


def divided(size: Triple, divisor: int) -> Triple:
    """All lengths divided, none below 1 [voxels]."""
    x, y, z = (max(1, round(length / divisor)) for length in size)
    return x, y, z
