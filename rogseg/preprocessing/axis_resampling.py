"""Resampling along one axis as products with small matrices.

An interpolation along one axis is linear, so it is a matrix; that of a cubic spline has weights that fall by 3.7 from
one voxel to the next, so beyond `_REACH` voxels they are under the rounding of float32 and are left out. What remains
is a band, cut into dense blocks that BLAS multiplies: 30 to 60 times faster on one core than `scipy.ndimage.zoom`,
which visits 64 neighbours of every voxel (``benchmarks/bench_preprocessing.py``).
"""

import dataclasses
import functools
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["AxisBlock", "Order", "axis_blocks", "resample_axis"]

Order = Literal[0, 1, 3]  # nearest, linear, cubic spline

_BLOCK = 64
_REACH = {0: 0, 1: 1, 3: 14}
_PADDING = 16


@dataclasses.dataclass(frozen=True)
class AxisBlock:
    """The new voxels `rows` of an axis are `weights` times its old voxels `columns` (None: they are the same)."""

    rows: slice
    columns: slice
    weights: NDArray[np.float32] | None

    def apply(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample the axis before the last of an array that holds `columns` along it."""
        return array if self.weights is None else np.matmul(self.weights, array)

    def apply_to_last(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample the last axis of an array that holds `columns` along it."""
        if self.weights is None:
            return array
        # One large product instead of many small ones.
        flat = np.ascontiguousarray(array).reshape(-1, array.shape[-1]) @ self.weights.T
        return flat.reshape(*array.shape[:-1], -1)


def resample_axis(array: NDArray[np.float32], axis: int, length: int, order: Order) -> NDArray[np.float32]:
    """Resample one axis to `length` voxels that cover the same extent; equal lengths return the array itself.

    Outside of the array its border value goes on, as in ``scipy.ndimage.zoom(mode="nearest", grid_mode=True)``.
    """
    old = array.shape[axis]
    if old == length:
        return array
    # (before, axis, after): BLAS multiplies along the middle, or along the end where nothing comes after it.
    before, after = int(np.prod(array.shape[:axis])), int(np.prod(array.shape[axis + 1 :]))
    source = np.ascontiguousarray(array, dtype=np.float32).reshape(before, old, after)
    result = np.empty((before, length, after), dtype=np.float32)
    for block in axis_blocks(old, length, order):
        if after == 1:
            result[:, block.rows, 0] = block.apply_to_last(source[:, block.columns, 0])
        else:
            result[:, block.rows] = block.apply(source[:, block.columns])
    return result.reshape(*array.shape[:axis], length, *array.shape[axis + 1 :])


@functools.lru_cache(maxsize=64)
def axis_blocks(old: int, length: int, order: Order, block: int = _BLOCK) -> tuple[AxisBlock, ...]:
    """The matrix that resamples an axis of `old` voxels to `length`, in blocks of up to `block` rows."""
    if old == length:
        parts = (slice(start, min(start + block, length)) for start in range(0, length, block))
        return tuple(AxisBlock(part, part, None) for part in parts)
    weights = {0: _nearest_weights, 1: _linear_weights, 3: _cubic_weights}[order](old, length)
    reach = _REACH[order]
    centres = _positions(old, length)
    blocks = []
    for start in range(0, length, block):
        stop = min(start + block, length)
        first = max(0, int(np.floor(centres[start])) - reach)
        last = min(old, int(np.ceil(centres[stop - 1])) + reach + 1)
        part = weights[start:stop, first:last]
        part = part / part.sum(axis=1, keepdims=True)  # a constant stays what it is
        blocks.append(AxisBlock(slice(start, stop), slice(first, last), np.ascontiguousarray(part, dtype=np.float32)))
    return tuple(blocks)


def _positions(old: int, length: int) -> NDArray[np.float64]:
    return (np.arange(length, dtype=np.float64) + 0.5) * (old / length) - 0.5


def _nearest_weights(old: int, length: int) -> NDArray[np.float64]:
    # In whole numbers: a centre that falls on a border belongs to the voxel above it, on every machine.
    indices = (2 * np.arange(length) + 1) * old // (2 * length)
    return np.asarray(indices[:, None] == np.arange(old), dtype=np.float64)


def _linear_weights(old: int, length: int) -> NDArray[np.float64]:
    positions = np.clip(_positions(old, length), 0, old - 1)
    distances = np.abs(positions[:, None] - np.arange(old))
    return np.asarray(np.maximum(0.0, 1.0 - distances), dtype=np.float64)


def _cubic_weights(old: int, length: int) -> NDArray[np.float64]:
    # Spline coefficients of the signal whose border goes on for _PADDING voxels, for every unit signal.
    extended = np.pad(np.eye(old), ((_PADDING, _PADDING), (0, 0)), mode="edge")
    # At a voxel the spline is (1, 4, 1) / 6 of its coefficients, mirrored at both ends; there it shall be the signal.
    size = len(extended)
    basis = (4 * np.eye(size) + np.eye(size, k=1) + np.eye(size, k=-1)) / 6
    basis[0, 1] = basis[-1, -2] = 2 / 6
    coefficients = np.linalg.solve(basis, extended)
    positions = _positions(old, length) + _PADDING
    below = np.floor(positions).astype(np.int64)
    weights = np.zeros((length, old))
    for offset in (-1, 0, 1, 2):
        distance = np.abs(positions - (below + offset))
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = np.maximum(0.0, 2 - distance) ** 3 / 6
        weights += np.where(distance < 1, near, far)[:, None] * coefficients[below + offset]
    return weights
