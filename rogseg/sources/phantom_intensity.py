"""Give tissues their grey values: CT in HU, MR in scanner units with a bias field."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rogseg.sources.phantom_anatomy import grid_axes, slabs, smooth_field

__all__ = ["Kind", "render_channel"]

Kind = Literal["ct", "mr"]

# Mean values by tissue code: air, fat, soft tissue, bone, vessel, organ, lesion; then the further organs in turn.
_CT_MEANS = (
    (-1000, -95, 35, 420, 115, 115, 62),
    (-1000, -95, 35, 420, 150, 92, 30),
    (-1000, -95, 38, 420, 80, 80, 105),
)
_CT_OTHERS = (165, -20, 215, 5, 265, 140, -50, 90)
_MR_MEANS = ((0.01, 0.9, 0.40, 0.08, 0.58, 0.58, 0.46), (0.01, 0.7, 0.34, 0.06, 0.46, 0.46, 0.68))
_MR_OTHERS = ((0.22, 0.72, 0.3, 0.52, 0.16, 0.66, 0.26, 0.78), (0.6, 0.2, 0.8, 0.14, 0.4, 0.26, 0.74, 0.5))


def render_channel(
    tissue: NDArray[np.uint8], kind: Kind, channel: int, rng: np.random.Generator, out: NDArray[np.int16]
) -> None:
    """Write one channel of the image of a tissue map into `out` (D, H, W) [HU, or scanner units for MR].

    CT carries texture and noise of about 20 HU where the organ stands out by 80; MR a smooth bias of up to about
    +-30%, noise, and a scale that differs from case to case, as scanners' do.
    """
    means = _means(kind, channel)
    spread = 6 if kind == "ct" else 0.02
    # Tissue differs between patients, too.
    means[1:] += rng.normal(0, spread, len(means) - 1).astype(np.float32)
    scale = rng.uniform(400, 2400)
    texture, bias = smooth_field(rng), smooth_field(rng)
    for part in slabs(tissue.shape[2]):
        codes = tissue[:, :, part]
        axes = grid_axes((tissue.shape[0], tissue.shape[1], tissue.shape[2]), part)
        # The scanner's blur mixes neighbours within a slice.
        values = _blur(means[codes], 0.6)
        noise = _blur(rng.standard_normal(codes.shape, dtype=np.float32), 0.5)
        if kind == "ct":
            values += 8 * texture(axes) * (codes > 0) + 30 * noise
            np.clip(values, -1024, 3071, out=values)
        else:
            values *= 1 + 0.06 * texture(axes)
            other = 0.05 * _blur(rng.standard_normal(codes.shape, dtype=np.float32), 0.5)
            # The magnitude of a complex signal: Rician noise, which is never negative.
            values = np.hypot(values * np.exp(0.15 * bias(axes)) + 0.05 * noise, other) * np.float32(scale)
        out[:, :, part] = np.rint(values)


def _means(kind: Kind, channel: int) -> NDArray[np.float32]:
    if kind == "ct":
        return np.array(_CT_MEANS[channel % len(_CT_MEANS)] + _CT_OTHERS, dtype=np.float32)
    row = channel % len(_MR_MEANS)
    return np.array(_MR_MEANS[row] + _MR_OTHERS[row], dtype=np.float32)


def _blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(values, (sigma, sigma, 0), truncate=3)
    return blurred
