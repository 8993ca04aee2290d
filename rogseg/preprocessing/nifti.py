"""NIfTI files in and out, with every complaint that a bad file deserves.

The axis order of the whole project is stated here, once: the spatial axes (D, H, W) of every array are the axes
(x, y, z) of the NIfTI file as nibabel gives them, never transposed or flipped. Channels come first in memory and last
in a 4-D file.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.memory_order import copy_volume
from rogseg.preprocessing.nifti_file import open_nifti, stored_numbers
from rogseg.preprocessing.slabs import slabs
from rogseg.preprocessing.volume import Volume

__all__ = ["read_image", "read_label", "write_image", "write_label"]

_MAX_SHIFT = 0.5  # [voxels]; closer grids put every voxel of the label on its own voxel of the image


def read_image(paths: Sequence[Path], num_channels: int) -> Volume:
    """Read the image of a case from one file (3-D, or 4-D with the channel last) or from one 3-D file per channel.

    Raises:
        ValueError: a file is missing, damaged, not 3-D or 4-D, has another number of channels, holds NaN, infinity or
            a constant channel, has a spacing that is not positive, or the files of one case lie on different grids.
    """
    if len(paths) not in (1, num_channels):
        raise ValueError(f"{paths[0]}: the task has {num_channels} channels, but {len(paths)} files belong to the case")
    first, affine = open_nifti(paths[0])
    array = np.empty((num_channels, *first.shape[:3]), dtype=np.float32)
    for index, path in enumerate(paths):
        file, file_affine = (first, affine) if index == 0 else open_nifti(path)
        _check_grid(path, file.shape[:3], file_affine, paths[0], array.shape[1:], affine)
        expected = num_channels if len(paths) == 1 else 1
        found = file.shape[3] if len(file.shape) == 4 else 1
        if found != expected:
            raise ValueError(
                f"{path}: it has {found} channels, {expected} expected; give a 4-D file with the channel last or one "
                "3-D file per channel, and list the channels under modality in dataset.json"
            )
        data = stored_numbers(path, file)
        if data.ndim == 4:
            for channel in range(data.shape[3]):
                copy_volume(data[..., channel], array[channel])
        else:
            copy_volume(data, array[index])
        del data
    for index in range(num_channels):
        _check_channel(paths[min(index, len(paths) - 1)], index, array[index])
    return Volume(array, affine)


def read_label(path: Path, image_path: Path, image: Volume, label_values: Sequence[int]) -> NDArray[np.uint8]:
    """Read a label file as class indices (D, H, W): voxels with ``label_values[i]`` become ``i``.

    Raises:
        ValueError: the file is missing or damaged, lies on another grid than its image (affines may differ by less
            than half a voxel), or holds a value that is not in ``label_values``.
    """
    file, affine = open_nifti(path)
    if len(file.shape) == 4 and file.shape[3] != 1:
        raise ValueError(f"{path}: a label file holds one 3-D map, this one has shape {file.shape}; merge its channels")
    _check_grid(path, file.shape[:3], affine, image_path, image.shape, image.affine)
    data = stored_numbers(path, file).reshape(image.shape)
    classes = np.empty(image.shape, dtype=np.uint8, order="F")
    lowest, highest = min(label_values), max(label_values)
    absent = 255
    table = np.full(highest - lowest + 1, absent, dtype=np.uint8)
    table[np.asarray(label_values) - lowest] = np.arange(len(label_values))
    for planes in slabs(image.shape[2], image.shape[0] * image.shape[1]):
        part = data[:, :, planes]
        values = np.rint(part) if part.dtype.kind == "f" else part
        # NaN fails the comparison; a cast to integers before it would hide it.
        known = np.logical_and(values >= lowest, values <= highest)
        if part.dtype.kind == "f":
            known &= np.abs(part - values) <= 1e-3  # labels stored as float are whole numbers up to rounding
        found = table[np.where(known, values, lowest).astype(np.int64) - lowest]
        known &= found != absent
        if not known.all():
            strangers = np.unique(part[~known])[:10].tolist()
            raise ValueError(
                f"{path}: it holds the values {strangers}, which are not among the labels {sorted(label_values)}; "
                "relabel these voxels or add the values to labels in dataset.json"
            )
        classes[:, :, planes] = found
    del data
    result = np.empty(image.shape, dtype=np.uint8)
    copy_volume(classes, result)
    return result


def write_label(path: Path, labels: NDArray[Any], affine: NDArray[Any] | Sequence[Sequence[float]]) -> None:
    """Write raw label values (D, H, W) as a uint8 NIfTI file (int16 where one does not fit) with its affine [mm]."""
    fits = labels.size == 0 or (labels.min() >= 0 and labels.max() <= 255)
    _write(path, labels.astype(np.uint8 if fits else np.int16, copy=False), affine)


def write_image(path: Path, image: NDArray[np.float32], affine: NDArray[Any] | Sequence[Sequence[float]]) -> None:
    """Write an image (C, D, H, W) as a float32 NIfTI file with its affine [mm]; 4-D, channel last, if C > 1."""
    data = np.moveaxis(image.astype(np.float32, copy=False), 0, -1)
    _write(path, data[..., 0] if image.shape[0] == 1 else data, affine)


def _write(path: Path, data: NDArray[Any], affine: NDArray[Any] | Sequence[Sequence[float]]) -> None:
    image = nibabel.Nifti1Image(data, np.asarray(affine, dtype=np.float64))
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed, so that a reader never meets half a file.
    partial = path.with_name(f".partial-{path.name}")
    try:
        nibabel.save(image, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _check_grid(
    path: Path,
    shape: Sequence[int],
    affine: NDArray[np.float64],
    other_path: Path,
    other_shape: Sequence[int],
    other_affine: NDArray[np.float64],
) -> None:
    if tuple(shape) != tuple(other_shape):
        raise ValueError(
            f"{path}: its shape {tuple(shape)} differs from {tuple(other_shape)} of {other_path}; resample one onto "
            "the other's grid or pair the right files"
        )
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, length - 1) for length in shape))])
    shift = float(np.abs(np.linalg.solve(other_affine, affine @ corners.T) - corners.T)[:3].max())
    if shift >= _MAX_SHIFT:
        raise ValueError(
            f"{path}: its affine puts voxels {shift:.3g} voxels away from those of {other_path}; resample one onto the "
            "other's grid, or correct the header if only that is wrong"
        )


def _check_channel(path: Path, index: int, channel: NDArray[np.float32]) -> None:
    lowest, highest = float(channel.min()), float(channel.max())  # NaN and infinity come through
    if not np.isfinite((lowest, highest)).all():
        bad = sum(int((~np.isfinite(plane)).sum()) for plane in channel)
        raise ValueError(
            f"{path}: channel {index} holds NaN or infinity in {bad} voxels; replace them (0, or -1024 [HU] in CT)"
        )
    if lowest == highest:
        raise ValueError(f"{path}: channel {index} is constant ({lowest}), there is no image; export the file again")
