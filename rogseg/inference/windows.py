"""Where the windows of a volume lie and how much each counts where they overlap."""

import dataclasses
import functools
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rogseg.task_plan import Region, Triple

__all__ = ["BellGrid", "GridPlanner", "SeparableGrid", "WindowGrid", "WindowIndex", "plan_windows"]

WindowIndex = tuple[int, int, int]

# The bell's standard deviation as a fraction of the window, as nnU-Net and MONAI have it.
SIGMA_FRACTION = 0.125


@dataclasses.dataclass(frozen=True, eq=False)
class WindowGrid(ABC):
    """The windows over one volume: every combination of the axes' starts; a subclass says how much each counts.

    Attributes:
        volume_size: extent of the (padded) volume [voxels].
        window_size: extent of a window [voxels].
        starts: first voxel of the windows along each axis.
    """

    volume_size: Triple
    window_size: Triple
    starts: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @functools.cached_property
    def indices(self) -> tuple[WindowIndex, ...]:
        """All windows, in the order in which they are evaluated and summed."""
        x, y, z = self.starts
        return tuple(itertools.product(range(len(x)), range(len(y)), range(len(z))))

    def region(self, index: WindowIndex) -> Region:
        """The voxels of a window."""
        x, y, z = (
            slice(starts[i], starts[i] + extent)
            for starts, i, extent in zip(self.starts, index, self.window_size, strict=True)
        )
        return x, y, z

    @abstractmethod
    def weight(self, index: WindowIndex, like: Tensor) -> Tensor:
        """The share of a window in the blend at each of its voxels, (d, h, w), of the type and device of ``like``.

        The shares of all windows sum to one at every voxel.
        """

    def touched(self, region: Sequence[slice]) -> tuple[WindowIndex, ...]:
        """The windows that share at least one voxel with a cuboid, in the order of `indices`."""
        return tuple((i, j, k) for i, j, k in itertools.product(*self._touched_per_axis(region)))

    def num_touched(self, region: Sequence[slice]) -> int:
        """How many windows share at least one voxel with a cuboid; does not list them, which may be millions."""
        return math.prod(len(axis) for axis in self._touched_per_axis(region))

    def _touched_per_axis(self, region: Sequence[slice]) -> list[list[int]]:
        return [
            [i for i, start in enumerate(starts) if start < cut.stop and cut.start < start + extent]
            for starts, extent, cut in zip(self.starts, self.window_size, region, strict=True)
        ]


GridPlanner = Callable[[Triple, Triple, float], WindowGrid]
"""Extent of a volume, extent of a window [voxels] and the overlap -> where the windows lie."""


@dataclasses.dataclass(frozen=True, eq=False)
class SeparableGrid(WindowGrid):
    """A grid whose bell is a product over the axes.

    Normalising each axis by itself then makes the weights of all windows sum to one at every voxel: no map of summed
    weights is needed, and none is stored.

    Attributes:
        axis_weights: for each axis, (number of starts, extent of the window) float64; every voxel's column sums to 1.
    """

    axis_weights: tuple[Tensor, Tensor, Tensor]

    def weight(self, index: WindowIndex, like: Tensor) -> Tensor:
        """The product of the axes' weights."""
        x, y, z = (
            table[i].to(device=like.device, dtype=like.dtype) for table, i in zip(self.axis_weights, index, strict=True)
        )
        return x[:, None, None] * y[:, None] * z


@dataclasses.dataclass(frozen=True, eq=False)
class BellGrid(WindowGrid):
    """A grid whose bell is a map that is no product over the axes, as those of nnU-Net and of MONAI.

    Attributes:
        bell: (d, h, w) float64, with every rounding that its maker gives it.
        total: (D, H, W) float64, sum of the bells of all windows at each voxel.
    """

    bell: Tensor
    total: Tensor

    @classmethod
    def of_bell(
        cls,
        volume_size: Triple,
        window_size: Triple,
        starts: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
        bell: Tensor,
    ) -> "BellGrid":
        """The grid with these starts, the bells summed."""
        total = torch.zeros(volume_size, dtype=torch.float64)
        grid = cls(volume_size, window_size, starts, bell, total)
        for index in grid.indices:
            total[grid.region(index)] += bell
        return grid

    def weight(self, index: WindowIndex, like: Tensor) -> Tensor:
        """The bell over the sum of all bells."""
        return (self.bell / self.total[self.region(index)]).to(device=like.device, dtype=like.dtype)


@functools.lru_cache(maxsize=32)
def plan_windows(volume_size: Triple, window_size: Triple, overlap: float) -> WindowGrid:
    """Lay windows evenly over a volume that is at least as large as one window.

    Neighbours overlap by at least the fraction ``overlap``; the first and last touch the volume's faces.
    """
    starts, weights = [], []
    for size, extent in zip(volume_size, window_size, strict=True):
        step = max(1, int(extent * (1 - overlap)))
        number = math.ceil((size - extent) / step) + 1
        axis = tuple(round(i * (size - extent) / max(number - 1, 1)) for i in range(number))
        starts.append(axis)
        weights.append(_normalized_bells(size, extent, axis))
    return SeparableGrid(
        volume_size, window_size, (starts[0], starts[1], starts[2]), (weights[0], weights[1], weights[2])
    )


def _normalized_bells(size: int, extent: int, starts: tuple[int, ...]) -> Tensor:
    """One bell per start, (number of starts, extent), divided by their sum at each voxel of the axis."""
    distance = torch.arange(extent, dtype=torch.float64) - (extent - 1) / 2
    bell = torch.exp(-0.5 * (distance / (SIGMA_FRACTION * extent)) ** 2)
    total = torch.zeros(size, dtype=torch.float64)
    for start in starts:
        total[start : start + extent] += bell
    return torch.stack([bell / total[start : start + extent] for start in starts])
