"""From the network's grid back to the grid of the raw image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.axis_resampling import Order, resample_axis
from rogseg.preprocessing.orientation import from_plan_order, in_plan_order, orientation_of, plan_to_file
from rogseg.preprocessing.resampling import (
    coarse_axis,
    resample_labels,
    resample_maps,
    resample_probabilities,
)
from rogseg.storage import CaseProperties

__all__ = [
    "is_resampled",
    "labels_to_raw_grid",
    "maps_to_raw_grid",
    "moves_to_raw_grid",
    "network_affine",
    "network_axes",
    "network_spacing",
    "probabilities_to_raw_grid",
]


def labels_to_raw_grid(labels: NDArray[np.uint8], properties: CaseProperties) -> NDArray[np.uint8]:
    """Bring a (D, H, W) map of class indices to the raw grid; equal grids give it back bit for bit.

    Raises:
        ValueError: the map does not lie on the network's grid of the case.
    """
    _check(labels.shape, properties)
    shape = in_plan_order(properties.raw_shape, properties.axes)
    resampled = resample_labels(labels, int(labels.max()) + 1, shape, _nearest_axis(properties))
    return from_plan_order(resampled, properties.axes)


def probabilities_to_raw_grid(probabilities: NDArray[Any], properties: CaseProperties) -> NDArray[np.uint8]:
    """Interpolate (K, D, H, W) probabilities linearly to the raw grid and give the class indices (D, H, W).

    On equal grids this is the plain argmax.

    Raises:
        ValueError: the probabilities do not lie on the network's grid of the case.
    """
    _check(probabilities.shape[1:], properties)
    shape = in_plan_order(properties.raw_shape, properties.axes)
    labels = resample_probabilities(probabilities, shape, _nearest_axis(properties))
    return from_plan_order(labels, properties.axes)


def maps_to_raw_grid(probabilities: NDArray[np.float32], properties: CaseProperties) -> NDArray[np.float32]:
    """The same without the decision: (K, D, H, W) probabilities on the raw grid.

    Raises:
        ValueError: the probabilities do not lie on the network's grid of the case.
    """
    _check(probabilities.shape[1:], properties)
    shape = in_plan_order(properties.raw_shape, properties.axes)
    return from_plan_order(resample_maps(probabilities, shape, _nearest_axis(properties)), properties.axes)


def moves_to_raw_grid(moves: NDArray[np.float64], properties: CaseProperties) -> NDArray[np.float64]:
    """Bring (C, D, H, W) changes of intensities to the raw grid, linearly: no voxel is moved further than another was.

    On equal grids the numbers are those that were given.

    Raises:
        ValueError: they do not lie on the network's grid of the case.
    """
    _check(moves.shape[1:], properties)
    if is_resampled(properties):
        nearest_axis, resampled = _nearest_axis(properties), moves.astype(np.float32)
        for axis, length in enumerate(in_plan_order(properties.raw_shape, properties.axes)):
            order: Order = 0 if axis == nearest_axis else 1
            resampled = resample_axis(resampled, axis + 1, length, order)
        moves = resampled.astype(np.float64)
    return from_plan_order(moves, properties.axes)


def is_resampled(properties: CaseProperties) -> bool:
    """Whether the network's grid has other voxels than the raw one, the order of axes aside."""
    return in_plan_order(properties.raw_shape, properties.axes) != properties.network_shape


def network_spacing(properties: CaseProperties) -> tuple[float, float, float]:
    """Distance of neighbouring voxels along the axes of the network's grid [mm]; both grids cover the same extent."""
    raw_spacing = in_plan_order(properties.raw_spacing, properties.axes)
    raw_shape = in_plan_order(properties.raw_shape, properties.axes)
    x, y, z = (
        step * raw / network
        for step, raw, network in zip(raw_spacing, raw_shape, properties.network_shape, strict=True)
    )
    return x, y, z


def network_affine(properties: CaseProperties) -> NDArray[np.float64]:
    """Affine of the network's grid [mm], (4, 4): the raw affine where both grids agree.

    Both grids cover the same extent, so voxel i of the network lies at (i + 1/2) * ratio - 1/2 of the raw grid.
    """
    raw_shape = in_plan_order(properties.raw_shape, properties.axes)
    ratio = np.array(raw_shape) / np.array(properties.network_shape)
    to_raw = np.diag([*ratio, 1.0])
    to_raw[:3, 3] = ratio / 2 - 0.5
    raw_affine = np.array(properties.raw_affine, dtype=np.float64)
    affine: NDArray[np.float64] = raw_affine @ plan_to_file(properties.axes, properties.raw_shape) @ to_raw
    return affine


def network_axes(properties: CaseProperties) -> str:
    """Where the axes of the network's grid point, such as ``RAS``."""
    return orientation_of(network_affine(properties))


def _check(shape: tuple[int, ...], properties: CaseProperties) -> None:
    if shape != tuple(properties.network_shape):
        raise ValueError(
            f"case {properties.case_id!r}: the prediction has shape {shape}, the network's grid has "
            f"{properties.network_shape}"
        )


def _nearest_axis(properties: CaseProperties) -> int | None:
    if not properties.coarse_by_nearest:
        return None
    raw_shape = in_plan_order(properties.raw_shape, properties.axes)
    raw_spacing = in_plan_order(properties.raw_spacing, properties.axes)
    network_spacing = [
        step * raw / network
        for step, raw, network in zip(raw_spacing, raw_shape, properties.network_shape, strict=True)
    ]
    return coarse_axis(network_spacing, raw_spacing)
