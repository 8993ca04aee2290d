"""From the network's grid back to the grid of the raw image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.resampling import coarse_axis, resample_labels, resample_probabilities
from rogseg.storage import CaseProperties

__all__ = ["labels_to_raw_grid", "probabilities_to_raw_grid"]


def labels_to_raw_grid(labels: NDArray[np.uint8], properties: CaseProperties) -> NDArray[np.uint8]:
    """Bring a (D, H, W) map of class indices to the raw grid; equal grids give it back bit for bit.

    Raises:
        ValueError: the map does not lie on the network's grid of the case.
    """
    _check(labels.shape, properties)
    return resample_labels(labels, int(labels.max()) + 1, properties.raw_shape, _nearest_axis(properties))


def probabilities_to_raw_grid(probabilities: NDArray[Any], properties: CaseProperties) -> NDArray[np.uint8]:
    """Interpolate (K, D, H, W) probabilities linearly to the raw grid and give the class indices (D, H, W).

    On equal grids this is the plain argmax.

    Raises:
        ValueError: the probabilities do not lie on the network's grid of the case.
    """
    _check(probabilities.shape[1:], properties)
    return resample_probabilities(probabilities, properties.raw_shape, _nearest_axis(properties))


def _check(shape: tuple[int, ...], properties: CaseProperties) -> None:
    if shape != tuple(properties.network_shape):
        raise ValueError(
            f"case {properties.case_id!r}: the prediction has shape {shape}, the network's grid has "
            f"{properties.network_shape}"
        )


def _nearest_axis(properties: CaseProperties) -> int | None:
    network_spacing = [
        step * raw / network
        for step, raw, network in zip(
            properties.raw_spacing, properties.raw_shape, properties.network_shape, strict=True
        )
    ]
    return coarse_axis(network_spacing, properties.raw_spacing)
