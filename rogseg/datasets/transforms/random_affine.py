"""RandomAffine: rotation and scaling in one resampling."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rogseg.cases import Case
from rogseg.datasets.transforms.base import Transform, check_probability
from rogseg.registry import TRANSFORMS

__all__ = ["RandomAffine", "affine_patch", "rotation_matrix"]


@TRANSFORMS.register_module()
class RandomAffine(Transform):
    """Rotates about the three axes, scales, and cuts the centre out, all in one interpolation.

    Cases that are neither rotated nor scaled pass untouched, at the size of the crop: `CentreCrop` follows.

    Args:
        patch_size: extent of the result [voxels].
        spacing: of the voxels [mm]; rotations are rotations of the body, also where slices are thick.
        max_rotation: largest angle about each axis [degrees].
        scale_range: smallest and largest factor, the same on all axes.
        probability: of each of the two, drawn separately, so that a part of the cases stays as sharp as the volumes
            that the network is tested on.

    Source: the ranges are the paper's; rotating in millimetres rather than in voxels is not.
    """

    def __init__(
        self,
        patch_size: Sequence[int],
        spacing: Sequence[float],
        max_rotation: float = 15.0,
        scale_range: tuple[float, float] = (0.85, 1.15),
        probability: float = 0.5,
    ) -> None:
        if not 0 < scale_range[0] <= scale_range[1]:
            raise ValueError(f"scale_range is {scale_range}, it must be two positive numbers, the smaller one first")
        self.patch_size = (patch_size[0], patch_size[1], patch_size[2])
        self.spacing = np.asarray(spacing, dtype=np.float64)
        self.max_rotation, self.scale_range = max_rotation, scale_range
        self.probability = check_probability(probability)

    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; see `Transform`."""
        rotate, scale = generator.random(2) < self.probability
        if not (rotate or scale):
            return case
        angles = np.deg2rad(generator.uniform(-self.max_rotation, self.max_rotation, 3)) if rotate else np.zeros(3)
        factor = generator.uniform(*self.scale_range) if scale else 1.0
        matrix = rotation_matrix(angles) * self.spacing[None, :] / self.spacing[:, None] / factor
        return affine_patch(case, matrix, self.patch_size)


def rotation_matrix(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation by the given angles [radians] about the first, then the second, then the third axis: (3, 3)."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = [other for other in range(3) if other != axis]
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def affine_patch(case: Case, matrix: NDArray[np.float64], patch_size: tuple[int, int, int]) -> Case:
    """Resample about the centre: voxel o of the patch shows what lies at ``matrix @ o`` of the crop.

    Trilinear for the inputs, nearest for targets and ``movable``; 0 outside the crop, which is padding.

    Args:
        case: the crop.
        matrix: (3, 3), offsets from the patch's centre -> offsets from the crop's centre [voxels].
        patch_size: extent of the result [voxels].
    """
    crop_size = case.inputs.shape[2:]
    # Sampling grids count in halves of the extent, and their last axis comes first.
    halves = matrix * np.asarray(patch_size)[None, :] / np.asarray(crop_size)[:, None]
    theta = np.zeros((1, 3, 4), dtype=np.float32)
    theta[0, :, :3] = halves[::-1, ::-1]
    grid = functional.affine_grid(torch.from_numpy(theta), [1, 1, *patch_size], align_corners=False)

    def nearest(values: Tensor) -> Tensor:
        return functional.grid_sample(values.float(), grid, mode="nearest", align_corners=False).to(values.dtype)

    movable = torch.ones_like(case.inputs[:, :1], dtype=torch.bool) if case.movable is None else case.movable
    return dataclasses.replace(
        case,
        inputs=functional.grid_sample(case.inputs, grid, mode="bilinear", align_corners=False),
        targets=None if case.targets is None else nearest(case.targets[:, None])[:, 0],
        movable=nearest(movable),
    )
