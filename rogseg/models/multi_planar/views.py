"""Planes through a volume along oblique views, on an isotropic grid in real space, and the way back to voxels.

Both ways are linear interpolations, so a gradient passes through them exactly. Geometry is float64 on the CPU.

Source: Perslev et al., "One Network To Segment Them All", MICCAI 2019, section 2. Deviations: the view vectors are the
six axes of a randomly turned icosahedron, any two of which are 63 degrees apart, where the paper draws until all are
60 degrees apart; predictions are brought back linearly instead of to the nearest plane; outside the volume its nearest
voxel continues.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["MOST_VIEWS", "orthonormal_basis", "sample_planes", "to_voxels", "view_vectors", "voxel_offsets"]

MOST_VIEWS = 6
IN_PLANE_MULTIPLE = 16  # four poolings by two


def view_vectors(num_views: int, seed: int) -> Tensor:
    """(num_views, 3) unit vectors that the planes are perpendicular to, float64.

    Raises:
        ValueError: there are none or more than six.
    """
    if not 1 <= num_views <= MOST_VIEWS:
        raise ValueError(f"num_views is {num_views}, there are 1 to {MOST_VIEWS} views")
    golden = (1 + math.sqrt(5)) / 2
    axes = [[0.0, 1.0, golden], [0.0, 1.0, -golden], [1.0, golden, 0.0], [1.0, -golden, 0.0], [golden, 0.0, 1.0]]
    axes.append([-golden, 0.0, 1.0])
    turned = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q
    return functional.normalize(torch.tensor(axes, dtype=torch.float64) @ turned.T, dim=1)[:num_views]


def orthonormal_basis(vector: Tensor) -> Tensor:
    """(3, 3): two directions in the plane and, last, the unit vector (3,) that it is perpendicular to."""
    vector = functional.normalize(vector, dim=0)
    # The axis that the vector is furthest from gives the best conditioned plane.
    axis = functional.one_hot(vector.abs().argmin(), 3).to(vector)
    first = functional.normalize(axis - (axis @ vector) * vector, dim=0)
    return torch.stack([first, torch.linalg.cross(vector, first), vector])


def sample_planes(
    volume: Tensor, basis: Tensor, spacing: Tensor, step: float, depths: Tensor | None = None, mode: str = "bilinear"
) -> Tensor:
    """Planes that cover a volume.

    Args:
        volume: (B, C, D, H, W).
        basis: (3, 3) of `orthonormal_basis`.
        spacing: (3,) of the voxels [mm].
        step: between samples, in the planes and from plane to plane [mm].
        depths: of the planes, along the view from the volume's centre [mm]; None takes all that cover the volume.
        mode: ``bilinear``, which is linear along all three axes, or ``nearest``, which is 0 outside the volume.

    Returns:
        (B, C, planes, height, width); height and width are multiples of 16.
    """
    half = _half_lengths(volume, spacing)
    height, width, planes = _sizes(basis, half, step)
    ticks = [_positions(height, step, basis), _positions(width, step, basis)]
    ticks.insert(0, _positions(planes, step, basis) if depths is None else depths)
    depth, rows, columns = torch.meshgrid(*ticks, indexing="ij")
    offsets = torch.stack([rows, columns, depth], dim=-1) @ basis
    padding = "zeros" if mode == "nearest" else "border"
    return _interpolate(volume, offsets / half, mode, padding)


def to_voxels(planes: Tensor, basis: Tensor, step: float, offsets: Tensor) -> Tensor:
    """Values on all planes that cover a volume, brought to its voxels.

    Args:
        planes: (B, K, planes, height, width), on the grid of `sample_planes`.
        basis: the same.
        step: the same.
        offsets: (D, H, W, 3) of `voxel_offsets`.

    Returns:
        (B, K, D, H, W).
    """
    rows, columns, depth = (offsets @ basis.T).unbind(-1)
    lengths = torch.tensor(planes.shape[2:], dtype=offsets.dtype, device="cpu")
    half = ((lengths - 1) / 2 * step).clamp_min(step / 2)
    return _interpolate(planes, torch.stack([depth, rows, columns], dim=-1) / half, "bilinear", "border")


def voxel_offsets(volume: Tensor, spacing: Tensor) -> Tensor:
    """(D, H, W, 3): where each voxel of a volume (B, C, D, H, W) lies from its centre [mm]."""
    ticks = [
        (torch.arange(length, dtype=spacing.dtype, device="cpu") - (length - 1) / 2) * millimetres
        for length, millimetres in zip(volume.shape[2:], spacing, strict=True)
    ]
    return torch.stack(torch.meshgrid(*ticks, indexing="ij"), dim=-1)


def _half_lengths(volume: Tensor, spacing: Tensor) -> Tensor:
    lengths = torch.tensor(volume.shape[2:], dtype=spacing.dtype, device="cpu")
    # A single voxel has no length; half its spacing keeps the division sound.
    return (lengths - 1).clamp_min(1) / 2 * spacing


def _sizes(basis: Tensor, half: Tensor, step: float) -> tuple[int, int, int]:
    """Samples along the two directions of the planes and number of planes, so that they cover the volume."""
    height, width, planes = (2 * math.ceil(reach / step) + 1 for reach in (basis.abs() @ half).tolist())
    return _rounded(height), _rounded(width), planes


def _rounded(length: int) -> int:
    return -(-length // IN_PLANE_MULTIPLE) * IN_PLANE_MULTIPLE


def _positions(length: int, step: float, like: Tensor) -> Tensor:
    return (torch.arange(length, dtype=like.dtype, device="cpu") - (length - 1) / 2) * step


def _interpolate(values: Tensor, places: Tensor, mode: str, padding: str) -> Tensor:
    """Values (B, C, D, H, W) at places (d, h, w, 3) in units of half the grid, -1 to 1 -> (B, C, d, h, w)."""
    grid = places.flip(-1).to(values).expand(values.shape[0], *places.shape)
    return functional.grid_sample(values, grid, mode=mode, padding_mode=padding, align_corners=True)
