"""How visible a change of an image is: SSIM, PSNR, and its size against the noise that the image has anyway."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from rogseg.metrics.image_similarity import peak_signal_to_noise, structural_similarity

__all__ = ["NOISE", "NOISE_RATIO", "PSNR", "SSIM", "estimated_noise", "visibility"]

SSIM, PSNR = "SSIM", "PSNR"
NOISE, NOISE_RATIO = "noise", "change over noise"
NORMAL_MEDIAN = 0.6744897501960817  # of the absolute value of a standard normal variable


def visibility(clean: Tensor, changed: Tensor, movable: Tensor | None = None) -> dict[str, float]:
    """Measures of a change by name; what cannot be said is left out, such as the PSNR of an unchanged volume.

    ``SSIM`` and ``PSNR`` [dB] take the width of the box as the range of intensities. ``noise`` is `estimated_noise` of
    the clean volume as a share of that width, its root mean square over the channels; clipped voxels are not looked at.
    ``change over noise`` is the root mean square of the change over the voxels that may move, each channel in units of
    its noise: at 1 it is as large as what the scanner adds to every image.

    Args:
        clean: (C, D, H, W) in units of the box's width, from 0 to 1.
        changed: the same shape.
        movable: (D, H, W) bool, voxels that may move; None is all.
    """
    where = torch.ones_like(clean[0], dtype=torch.bool) if movable is None else movable
    volumes, width = (clean.float().cpu().numpy(), changed.float().cpu().numpy()), np.ones(len(clean))
    found = {SSIM: structural_similarity(*volumes, width)}
    ratio = peak_signal_to_noise(*volumes, width)
    if math.isfinite(ratio):
        found[PSNR] = ratio
    squares = []  # of the change over the noise, and of the noise, of each channel that has any
    for before, after in zip(clean, changed, strict=True):
        deviation = estimated_noise(before, where & (before > 0) & (before < 1))
        if deviation:
            change = float((after.double() - before.double())[where].square().mean())
            squares.append((change / deviation**2, deviation**2))
    if squares:
        relative, absolute = (math.sqrt(math.fsum(column) / len(squares)) for column in zip(*squares, strict=True))
        found |= {NOISE: absolute, NOISE_RATIO: relative}
    return found


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
