"""One raw file of any format that is read: its grid is known when it is opened, its voxels when they are asked for."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.memory_limit import MAX_VOXELS, check_memory
from rogseg.preprocessing.orientation import orientation_of
from rogseg.storage import RawForms

__all__ = ["RawFile", "check_affine", "check_same_grid", "check_size"]

_MAX_SHIFT = 0.5  # [voxels]; closer grids put every voxel of the label on its own voxel of the image
_MAX_SHEAR = 0.02  # cosine of the angle between two axes; ITK's files are as far off by rounding at most


@dataclasses.dataclass(frozen=True)
class RawFile:
    """A file that was opened.

    Args:
        path: where it is.
        shape: number of voxels along its three axes, and of channels where there is a fourth.
        affine: 4x4, voxel to world [mm].
        forms: how the header said it.
        oriented: whether it says where the axes point.
        notes: what a person should know of the file.
        load: reads the voxels, scaled as the header says; raises ValueError where they are damaged.
    """

    path: Path
    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    forms: RawForms
    oriented: bool
    notes: tuple[str, ...]
    load: Callable[[], NDArray[Any]]

    @property
    def orientation(self) -> str | None:
        """Where the axes point, such as ``RAS``; None where the file does not say."""
        return orientation_of(self.affine) if self.oriented else None

    def voxels(self) -> NDArray[Any]:
        """The voxels.

        Raises:
            ValueError: voxels are missing, or are not plain numbers.
        """
        data = self.load()
        if data.dtype.kind not in "buif":
            raise ValueError(
                f"{self.path}: values of type {data.dtype} are not intensities or labels; store plain numbers"
            )
        return data


def check_size(path: Path, shape: Sequence[int], bytes_per_voxel: int) -> None:
    """Refuse a file by its header alone.

    Raises:
        ValueError: it has not three or four axes, or promises more voxels than there can be or than memory holds.
    """
    if len(shape) not in (3, 4) or min(shape) < 1 or min(shape[:3]) < 2:
        raise ValueError(
            f"{path}: a volume needs three spatial axes of at least 2 voxels, this file has shape {tuple(shape)}; "
            "stack the slices of a case into one 3-D file"
        )
    voxels = 1
    for length in shape:
        voxels *= int(length)
    if voxels > MAX_VOXELS:
        raise ValueError(
            f"{path}: its header promises {tuple(shape)} voxels, more than any scanner makes; export the file again"
        )
    # The file's own numbers, and the float32 that they become.
    check_memory(
        voxels * (bytes_per_voxel + 4),
        f"{path}: its header promises {tuple(shape)} voxels",
        "crop or resample the file",
    )


def check_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Refuse an affine that is no grid of cuboid voxels.

    Raises:
        ValueError: it is not finite, two axes point the same way, or axes are not at right angles.
    """
    steps = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not np.isfinite(affine).all() or not (steps > 0).all():
        raise ValueError(
            f"{path}: the spacing must be positive, the affine says {steps.tolist()} [mm]; correct pixdim, qform and "
            "sform in the header"
        )
    cosines = affine[:3, :3] / steps
    if abs(float(np.linalg.det(cosines))) < 1e-3:
        raise ValueError(
            f"{path}: its affine is singular, two axes point the same way: {affine[:3, :3].tolist()}; correct qform "
            "and sform in the header"
        )
    shear = float(np.abs(cosines.T @ cosines - np.eye(3)).max())
    if shear > _MAX_SHEAR:
        raise ValueError(
            f"{path}: its affine is sheared, its axes are {np.degrees(np.arccos(shear)):.1f} degrees apart where "
            "distances need right angles (a tilted gantry?); resample the file onto a straight grid"
        )


def check_same_grid(
    path: Path, shape: Sequence[int], affine: NDArray[np.float64], other_path: Path, other: tuple[Any, Any]
) -> None:
    """Refuse a file whose voxels are not those of another; affines may differ by less than half a voxel.

    Args:
        path: the file.
        shape: of its three axes.
        affine: 4x4 [mm].
        other_path: what it shall lie on.
        other: shape and affine of that.

    Raises:
        ValueError: shapes or affines differ.
    """
    other_shape, other_affine = other
    if tuple(shape) != tuple(other_shape):
        raise ValueError(
            f"{path}: its shape {tuple(shape)} differs from {tuple(other_shape)} of {other_path}; resample one onto "
            "the other's grid or pair the right files"
        )
    if np.array_equal(affine, other_affine):
        return
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, length - 1) for length in shape))])
    shift = float(np.abs(np.linalg.solve(other_affine, affine @ corners.T) - corners.T)[:3].max())
    if shift >= _MAX_SHIFT:
        raise ValueError(
            f"{path}: its affine puts voxels {shift:.3g} voxels away from those of {other_path}; resample one onto the "
            "other's grid, or correct the header if only that is wrong"
        )
