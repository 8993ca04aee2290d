"""Raw images and label maps in and out, with every complaint that a bad file deserves.

The axis order of every array outside of the network's grid is stated here, once: the spatial axes (D, H, W) are the
axes (x, y, z) of the file as nibabel gives them; `rogseg.preprocessing.orientation` leads from there to a plan's order.
Channels come first in memory and last in a 4-D file.
"""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.itk_file import open_itk
from rogseg.preprocessing.nifti_file import open_nifti
from rogseg.preprocessing.raw_file import RawFile, check_same_grid
from rogseg.preprocessing.volume import Volume, copy_volume, slabs
from rogseg.storage import RawCase, is_nifti
from rogseg.task_plan import MAX_CLASSES

__all__ = ["open_raw", "orientations_of", "read_image", "read_label"]

_ABSENT = 255
_TABLE = 2**16  # values from lowest to highest label that are looked up in a table; beyond it they are searched for


def open_raw(path: Path) -> RawFile:
    """Open a file of any format that is read.

    Raises:
        ValueError: it cannot be used; the message says why.
    """
    return open_nifti(path) if is_nifti(path) else open_itk(path)


def orientations_of(cases: Iterable[RawCase]) -> dict[str, str]:
    """Where the axes of each image point, by case id; files that do not say it or cannot be opened are left out."""
    found = {}
    for case in cases:
        with contextlib.suppress(ValueError, OSError):  # who reads the whole case says what is wrong with it
            if (orientation := open_raw(case.images[0]).orientation) is not None:
                found[case.case_id] = orientation
    return found


def read_image(paths: Sequence[Path], num_channels: int) -> Volume:
    """Read the image of a case from one file (3-D, or 4-D with the channel last) or from one 3-D file per channel.

    Raises:
        ValueError: a file is missing, damaged, not 3-D or 4-D, has another number of channels, holds NaN, infinity or
            a constant channel, has a spacing that is not positive, or the files of one case lie on different grids.
    """
    if len(paths) not in (1, num_channels):
        raise ValueError(f"{paths[0]}: the task has {num_channels} channels, but {len(paths)} files belong to the case")
    first = open_raw(paths[0])
    array: NDArray[np.float32] | None = None
    notes: list[str] = []
    for index, path in enumerate(paths):
        file = first if index == 0 else open_raw(path)
        check_same_grid(path, file.shape[:3], file.affine, paths[0], (first.shape[:3], first.affine))
        expected = num_channels if len(paths) == 1 else 1
        found = file.shape[3] if len(file.shape) == 4 else 1
        if found != expected:
            raise ValueError(
                f"{path}: it has {found} channels, {expected} expected; give a 4-D file with the channel last or one "
                "3-D file per channel, and list the channels under modality in dataset.json"
            )
        notes += file.notes
        data = file.voxels().reshape(*first.shape[:3], found)
        if array is None:
            array = np.empty((num_channels, *first.shape[:3]), dtype=np.float32)
        with np.errstate(over="ignore"):  # becomes infinity, which is refused below
            for channel in range(found):
                copy_volume(data[..., channel], array[index + channel])
        del data
    assert array is not None  # there is a first file
    volume = Volume(array, first.affine, first.oriented, first.forms, tuple(notes))
    volume.checked_ranges([paths[min(index, len(paths) - 1)] for index in range(num_channels)])
    return volume


def read_label(path: Path, image_path: Path, image: Volume, label_values: Sequence[int]) -> NDArray[np.uint8]:
    """Read a label file as class indices (D, H, W): voxels with ``label_values[i]`` become ``i``.

    Raises:
        ValueError: the file is missing or damaged, lies on another grid than its image (affines may differ by less
            than half a voxel), or holds a value that is not in ``label_values``; or these are too many for a byte.
    """
    if len(label_values) > MAX_CLASSES:
        raise ValueError(
            f"{path}: its voxels may have {len(label_values)} label values, of which {MAX_CLASSES} with the background "
            "can be told apart here; merge some of them"
        )
    file = open_raw(path)
    if len(file.shape) == 4 and file.shape[3] != 1:
        raise ValueError(f"{path}: a label file holds one 3-D map, this one has shape {file.shape}; merge its channels")
    check_same_grid(path, file.shape[:3], file.affine, image_path, (image.shape, image.affine))
    data = file.voxels().reshape(image.shape)
    classes = np.empty(image.shape, dtype=np.uint8, order="F")
    lookup = _Lookup(label_values)
    for planes in slabs(image.shape[2], image.shape[0] * image.shape[1]):
        part = data[:, :, planes]
        found, known = lookup(part)
        if not known.all():
            strangers = np.unique(part[~known])[:10].tolist()
            raise ValueError(
                f"{path}: it holds the values {strangers}, which are not among the labels {sorted(label_values)}; "
                "relabel these voxels, or add the values to labels in dataset.json; where these have them, the network "
                "has no class for them (outputs.classes of a system file)"
            )
        classes[:, :, planes] = found
    del data
    result = np.empty(image.shape, dtype=np.uint8)
    copy_volume(classes, result)
    return result


class _Lookup:
    """From raw label values to class indices, in memory that does not depend on how large the values are."""

    def __init__(self, label_values: Sequence[int]) -> None:
        order = np.argsort(label_values)
        self.values = np.array(label_values, dtype=np.int64)[order]
        self.classes = order.astype(np.uint8)
        self.lowest, self.highest = int(self.values[0]), int(self.values[-1])
        self.table: NDArray[np.uint8] | None = None
        if self.highest - self.lowest < _TABLE:
            self.table = np.full(self.highest - self.lowest + 1, _ABSENT, dtype=np.uint8)
            self.table[self.values - self.lowest] = self.classes

    def __call__(self, part: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Class indices of voxels, and which of these have one."""
        values = np.rint(part) if part.dtype.kind == "f" else part
        # NaN fails the comparison; a cast to integers before it would hide it.
        known = np.logical_and(values >= self.lowest, values <= self.highest)
        if part.dtype.kind == "f":
            known &= np.abs(part - values) <= 1e-3  # labels stored as float are whole numbers up to rounding
        # Filled in place: a file of bytes has no room for a lowest label that is negative.
        whole = np.full(part.shape, self.lowest, dtype=np.int64, order="F")
        np.copyto(whole, values, where=known, casting="unsafe")
        if self.table is not None:
            found = self.table[whole - self.lowest]
            return found, known & (found != _ABSENT)
        places = np.searchsorted(self.values, whole)
        return self.classes[places], known & (self.values[places] == whole)
