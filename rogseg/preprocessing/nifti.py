"""Label maps and images out, as NIfTI files that say where they lie in the words of the file that they belong to."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from rogseg.storage import IN_MM, RawForms, write_bytes_atomic

__all__ = ["write_image", "write_label"]

_TYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64)
_PER_MM = {"mm": 1.0, "unknown": 1.0, "meter": 0.001, "micron": 1000.0}


def write_label(
    path: Path,
    labels: NDArray[Any],
    affine: NDArray[Any] | Sequence[Sequence[float]],
    forms: RawForms = IN_MM,
) -> None:
    """Write raw label values (D, H, W) in the smallest type of integers that holds every one of them.

    Args:
        path: the file, whole or not at all.
        labels: whole numbers.
        affine: 4x4 [mm].
        forms: how the file that they belong to says where it lies.

    Raises:
        ValueError: the values are no whole numbers, or too large for any type.
    """
    if labels.dtype.kind not in "bui":
        raise ValueError(f"{path}: label values of type {labels.dtype} are no whole numbers")
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    kind = next((kind for kind in _TYPES if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max), None)
    if kind is None:
        raise ValueError(f"{path}: the label values reach from {lowest} to {highest}, more than 64 bits hold")
    _write(path, labels.astype(kind, copy=False), affine, forms)


def write_image(
    path: Path,
    image: NDArray[np.float32],
    affine: NDArray[Any] | Sequence[Sequence[float]],
    forms: RawForms = IN_MM,
    kind: np.dtype[Any] | None = None,
) -> None:
    """Write an image (C, D, H, W) as a NIfTI file with its affine [mm]; 4-D, channel last, if C > 1.

    Args:
        path: the file, whole or not at all.
        image: raw units.
        affine: 4x4 [mm].
        forms: how the file that it is made from says where it lies.
        kind: the type of that file's voxels, which is taken where it holds every value; else it is float32.
    """
    data = np.moveaxis(image.astype(np.float32, copy=False), 0, -1)
    if kind is not None and _holds(kind, data):
        data = data.astype(kind.newbyteorder("="))
    _write(path, data[..., 0] if image.shape[0] == 1 else data, affine, forms)


def _holds(kind: np.dtype[Any], data: NDArray[np.float32]) -> bool:
    """Whether a type of voxels has every value of an image."""
    if kind.kind == "f":
        return kind.itemsize in (4, 8)
    limits = np.iinfo(kind) if kind.kind in "iu" else None
    return (
        limits is not None
        and bool((np.rint(data) == data).all())
        and limits.min <= float(data.min())
        and float(data.max()) <= limits.max
    )


def _write(path: Path, data: NDArray[Any], affine: NDArray[Any] | Sequence[Sequence[float]], forms: RawForms) -> None:
    to_unit = np.diag([_PER_MM[forms.unit]] * 3 + [1.0])
    in_unit = to_unit @ np.asarray(affine, dtype=np.float64)
    image = nibabel.Nifti1Image(data, in_unit, dtype=data.dtype)
    image.set_sform(in_unit if forms.sform_code else None, forms.sform_code)
    qform = in_unit if forms.qform is None else to_unit @ np.array(forms.qform)
    image.set_qform(qform if forms.qform_code else None, forms.qform_code)
    image.header.set_xyzt_units(None if forms.unit == "unknown" else forms.unit)
    content = image.to_bytes()
    # Without a time in the gzip, so that equal label maps are equal files.
    packed = gzip.compress(content, compresslevel=1, mtime=0) if path.suffix == ".gz" else content
    write_bytes_atomic(path, packed, lasting=False)
