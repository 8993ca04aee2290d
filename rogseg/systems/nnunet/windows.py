"""nnU-Net's windows over a volume, placed and weighted by its own functions."""

import dataclasses
import functools

import torch
from torch import Tensor

from rogseg.inference.windows import WindowGrid, WindowIndex
from rogseg.task_plan import Triple

__all__ = ["OVERLAP", "BellGrid", "plan_bell_grid", "window_bell"]

OVERLAP = 0.5  # as its command has it
SIGMA_FRACTION = 1 / 8
BELL_PEAK = 10  # keeps the smallest weights apart from 0 in half precision


@dataclasses.dataclass(frozen=True, eq=False)
class BellGrid(WindowGrid):
    """A grid whose bell is a map that is no product over the axes.

    nnU-Net's bell is rounded to half precision, and what rounds to 0 is raised to the smallest weight.

    Attributes:
        bell: (d, h, w) float64, the values that half precision has: a bell in full precision moves logits by 0.6.
        total: (D, H, W) float64, sum of the bells of all windows at each voxel.
    """

    bell: Tensor
    total: Tensor

    def weight(self, index: WindowIndex, like: Tensor) -> Tensor:
        """The bell over the sum of all bells."""
        return (self.bell / self.total[self.region(index)]).to(device=like.device, dtype=like.dtype)


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)
def plan_bell_grid(volume_size: Triple, window_size: Triple, overlap: float, *, slices: bool = False) -> BellGrid:
    """nnU-Net's windows over a volume that is at least as large as one.

    Args:
        volume_size: extent of the padded volume [voxels].
        window_size: extent of a window [voxels].
        overlap: of neighbours, as a fraction of the window.
        slices: the windows are two-dimensional, and each slice along the first axis has its own.
    """
    from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window

    starts = []
    for axis, (size, extent) in enumerate(zip(volume_size, window_size, strict=True)):
        if slices and axis == 0:
            starts.append(tuple(range(size)))
        else:
            starts.append(tuple(compute_steps_for_sliding_window((size,), (extent,), 1 - overlap)[0]))
    # nnU-Net caches the bell, and where its predictor asked first no gradient may pass it: this is a copy.
    bell = window_bell(window_size, slices=slices).double()
    total = torch.zeros(volume_size, dtype=torch.float64)
    grid = BellGrid(volume_size, window_size, (starts[0], starts[1], starts[2]), bell, total)
    for index in grid.indices:
        total[grid.region(index)] += bell
    return grid


@torch.inference_mode(False)
def window_bell(window_size: Triple, *, slices: bool = False) -> Tensor:
    """Weights of a window, (d, h, w) float16, as nnU-Net computes them."""
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    extents = window_size[1:] if slices else window_size
    bell: Tensor = compute_gaussian(
        tuple(extents), sigma_scale=SIGMA_FRACTION, value_scaling_factor=BELL_PEAK, device=torch.device("cpu")
    )
    return bell.reshape(window_size)
