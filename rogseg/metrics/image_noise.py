"""The noise of an image, estimated from the image itself."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["estimated_noise"]

NORMAL_MEDIAN = 0.6744897501960817  # of the absolute value of a standard normal variable


def estimated_noise(volume: Tensor, usable: Tensor | None = None) -> float | None:
    """Standard deviation of the noise of a volume, in the volume's own units.

    It is the median of the absolute coefficients of the finest diagonal band of a Haar wavelet, over 0.6745: structure
    is smooth at that scale, so that little of it ends in this band, and a median does not see the few edges. Blocks
    that hold one value alone, such as clipped air, say nothing and are left out. Resampling to a finer grid smooths the
    noise, so what is found on a network's grid is at most what the scanner had.

    Args:
        volume: (D, H, W).
        usable: (D, H, W) bool, voxels to look at, for instance those that are not clipped; None is all.

    Returns:
        None where no block of usable voxels is left.

    Source: Donoho and Johnstone 1994; in three dimensions, for MR, Coupe et al. 2010.
    """
    detail, lowest, highest, kept = volume.double(), volume, volume, usable
    num_axes = 0
    for axis in range(3):
        if volume.shape[axis] == 1:  # a flat axis has no detail
            continue
        num_axes += 1
        detail = _joined(torch.sub, detail, axis)
        lowest, highest = _joined(torch.minimum, lowest, axis), _joined(torch.maximum, highest, axis)
        kept = None if kept is None else _joined(torch.logical_and, kept, axis)
    says_something = (lowest < highest) if kept is None else (lowest < highest) & kept
    details = detail[says_something] / math.sqrt(2) ** num_axes
    return float(details.abs().median()) / NORMAL_MEDIAN if details.numel() else None


def _joined(join: Callable[[Tensor, Tensor], Tensor], values: Tensor, axis: int) -> Tensor:
    """Every two neighbours along an axis, joined."""
    last = values.shape[axis] // 2 * 2
    first, second = (values.narrow(axis, 0, last).transpose(0, axis)[start::2] for start in (0, 1))
    return join(first, second).transpose(0, axis)
