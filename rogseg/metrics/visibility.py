"""How visible a change of an image is: SSIM, PSNR, and its size against the noise that the image has anyway."""

import math

import numpy as np
import torch
from torch import Tensor

from rogseg.metrics.image_noise import estimated_noise
from rogseg.metrics.image_similarity import peak_signal_to_noise, structural_similarity

__all__ = ["NOISE", "NOISE_RATIO", "PSNR", "SSIM", "visibility"]

SSIM, PSNR = "SSIM", "PSNR"
NOISE, NOISE_RATIO = "noise", "change over noise"


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
