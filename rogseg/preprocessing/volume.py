"""A volume with the grid that it lies on."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

__all__ = ["Volume"]


@dataclasses.dataclass(frozen=True)
class Volume:
    """An image (C, D, H, W) float32 [raw units] with its 4x4 affine, voxel to world [mm].

    Raises:
        ValueError: the array has not four axes, the affine is not 4x4, or a spacing is not positive.
    """

    array: NDArray[np.float32]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.array.ndim != 4:
            raise ValueError(f"a volume has axes (C, D, H, W), got an array of shape {self.array.shape}")
        if self.affine.shape != (4, 4):
            raise ValueError(f"an affine is 4x4, got shape {self.affine.shape}")
        if not all(np.isfinite(step) and step > 0 for step in self.spacing):
            raise ValueError(f"the spacing must be positive, got {self.spacing} [mm]; set it in the affine")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along the spatial axes."""
        depth, height, width = self.array.shape[1:]
        return depth, height, width

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along the spatial axes [mm]."""
        depth, height, width = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0)).tolist()
        return depth, height, width
