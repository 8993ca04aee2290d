"""How similar two images are: SSIM and PSNR of a changed volume and its original."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["image_range", "peak_signal_to_noise", "structural_similarity"]

WINDOW_DEVIATION, WINDOW_RADIUS = 1.5, 5
"""[voxels]; the window of 11 voxels of the paper."""
K1, K2 = 0.01, 0.03
RANGE = (0.5, 99.5)
"""[%]"""

Channels = NDArray[np.float32]


def image_range(reference: Channels) -> NDArray[np.float64]:
    """What differences are measured against, per channel: from the 0.5th to the 99.5th percentile of the original.

    Extreme voxels, such as metal or a bright vessel, would make everything else look similar.

    Args:
        reference: (C, D, H, W).

    Returns:
        (C,), the whole range where these percentiles agree.
    """
    flat = reference.reshape(len(reference), -1)
    low, high = np.percentile(flat, RANGE, axis=1)
    whole = flat.max(1).astype(np.float64) - flat.min(1)
    return np.where(high > low, high - low, whole)


def structural_similarity(reference: Channels, image: Channels, data_range: NDArray[np.float64]) -> float:
    """Mean structural similarity in three dimensions, averaged over the channels: 1 for equal volumes.

    Args:
        reference: (C, D, H, W), the original.
        image: of the same shape.
        data_range: of each channel (C,), in the same units; above 0.

    Raises:
        ValueError: the shapes differ.

    Source: Wang et al. 2004, with a Gaussian window of deviation 1.5 in three dimensions. The mean leaves out the
    border that the window does not fit into, along each axis that is long enough.
    """
    _check(reference, image)
    pairs = zip(reference, image, data_range.tolist(), strict=True)
    return math.fsum(_ssim(a, b, width) for a, b, width in pairs) / len(reference)


def peak_signal_to_noise(reference: Channels, image: Channels, data_range: NDArray[np.float64]) -> float:
    """Peak signal-to-noise ratio [dB], its mean square over all channels; infinity for equal volumes.

    Args:
        reference: (C, D, H, W), the original.
        image: of the same shape.
        data_range: of each channel (C,), in the same units; above 0.

    Raises:
        ValueError: the shapes differ.
    """
    _check(reference, image)
    squares = [
        float(np.mean(np.square(b - a, dtype=np.float64))) / width**2
        for a, b, width in zip(reference, image, data_range.tolist(), strict=True)
    ]
    error = math.fsum(squares) / len(squares)
    return -10 * math.log10(error) if error > 0 else math.inf


def _check(reference: Channels, image: Channels) -> None:
    if reference.shape != image.shape or reference.ndim != 4:
        raise ValueError(f"two volumes (C, D, H, W) of one shape are compared, got {reference.shape} and {image.shape}")


def _ssim(reference: NDArray[np.float32], image: NDArray[np.float32], width: float) -> float:
    # Squares of raw units lose digits in float32; variances do not change where both are moved and scaled alike.
    middle = float(reference.mean(dtype=np.float64))
    a, b = (((volume - middle) / width).astype(np.float32) for volume in (reference, image))
    mean_a, mean_b = _windowed(a), _windowed(b)
    variance_a = _windowed(a * a) - mean_a**2
    variance_b = _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    mean_a, mean_b = mean_a + middle / width, mean_b + middle / width
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    structure = (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)
    inner = tuple(
        slice(WINDOW_RADIUS, -WINDOW_RADIUS) if length > 2 * WINDOW_RADIUS else slice(None) for length in a.shape
    )
    return float((luminance * structure)[inner].mean(dtype=np.float64))


def _windowed(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    filtered: NDArray[np.float32] = ndimage.gaussian_filter(volume, WINDOW_DEVIATION, radius=WINDOW_RADIUS)
    return filtered
