"""nnU-Net's windows over a volume, placed and weighted by its own functions."""

import functools

import torch
from torch import Tensor

from rogseg.inference.windows import BellGrid
from rogseg.task_plan import Triple

__all__ = ["OVERLAP", "plan_bell_grid", "window_bell"]

OVERLAP = 0.5  # as its command has it
SIGMA_FRACTION = 1 / 8
BELL_PEAK = 10  # keeps the smallest weights apart from 0 in half precision


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)
def plan_bell_grid(volume_size: Triple, window_size: Triple, overlap: float, *, slices: bool = False) -> BellGrid:
    """nnU-Net's windows over a volume that is at least as large as one.

    Its bell is rounded to half precision, and what rounds to 0 is raised to the smallest weight: a bell in full
    precision moves logits by 0.6.

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
    return BellGrid.of_bell(volume_size, window_size, (starts[0], starts[1], starts[2]), bell)


@torch.inference_mode(False)
def window_bell(window_size: Triple, *, slices: bool = False) -> Tensor:
    """Weights of a window, (d, h, w) float16, as nnU-Net computes them."""
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    extents = window_size[1:] if slices else window_size
    bell: Tensor = compute_gaussian(
        tuple(extents), sigma_scale=SIGMA_FRACTION, value_scaling_factor=BELL_PEAK, device=torch.device("cpu")
    )
    return bell.reshape(window_size)
