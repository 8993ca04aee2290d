"""The cosine transform of a volume, block by block."""

import functools
import math

import torch
from torch import Tensor

__all__ = ["BLOCK", "block_dct", "block_lengths", "inverse_block_dct"]

BLOCK = 32  # voxels along each axis


def block_lengths(length: int) -> tuple[int, ...]:
    """Lengths of the blocks of an axis: as few as are at most `BLOCK` long, and as equal as they can be."""
    number = math.ceil(length / BLOCK)
    return tuple(length // number + (index < length % number) for index in range(number))


def block_dct(volume: Tensor) -> Tensor:
    """The orthonormal DCT-II of every block, (B, C, D, H, W) -> the same shape, coefficients where their block is."""
    return _along_each_axis(volume, inverse=False)


def inverse_block_dct(coefficients: Tensor) -> Tensor:
    """What `block_dct` came from; both keep the sum of squares of each block."""
    return _along_each_axis(coefficients, inverse=True)


def _along_each_axis(values: Tensor, *, inverse: bool) -> Tensor:
    for axis in (2, 3, 4):
        matrix = _matrix(values.shape[axis]).to(values)
        values = torch.tensordot(values, matrix.T if inverse else matrix, dims=([axis], [1])).movedim(-1, axis)
    return values


@functools.lru_cache(maxsize=16)
def _matrix(length: int) -> Tensor:
    """The transform of an axis: one orthonormal DCT matrix per block, on the diagonal; (length, length) float64."""
    blocks = [_dct_matrix(size) for size in block_lengths(length)]
    matrix: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
    return matrix


def _dct_matrix(size: int) -> Tensor:
    places = torch.arange(size, dtype=torch.float64)
    waves = torch.cos(math.pi / size * (places + 0.5) * places[:, None]) * math.sqrt(2 / size)
    waves[0] /= math.sqrt(2)
    return waves
