"""One NIfTI file: read once, refused with a reason where it is damaged."""

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

__all__ = ["open_nifti", "stored_numbers"]

# nibabel meets damaged files with any of these.
_DAMAGE = (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, WrapStructError, ValueError)


def open_nifti(path: Path) -> tuple[Any, NDArray[np.float64]]:
    """Read a file of three or four axes and give its nibabel image and affine.

    It is read and decompressed in one go: nibabel's own way through streams takes three times as long for small files.

    Raises:
        ValueError: the file is missing or damaged, has other axes, or a spacing that is not positive.
    """
    content = _content(path)
    kind = Nifti2Image if Nifti2Image.header_class.may_contain_header(content[:540]) else Nifti1Image
    try:
        file: Any = kind.from_bytes(content)
    except _DAMAGE as error:
        raise ValueError(f"{path}: not a readable NIfTI file ({error}); fetch or export it again") from error
    if len(file.shape) not in (3, 4) or min(file.shape) < 1 or min(file.shape[:3]) < 2:
        raise ValueError(
            f"{path}: a volume needs three spatial axes of at least 2 voxels, this file has shape {file.shape}; "
            "stack the slices of a case into one 3-D file"
        )
    affine = np.asarray(file.affine, dtype=np.float64)
    # The affine counts, but a header that contradicts it with a spacing of 0 is not to be trusted either. nibabel turns
    # that 0 into 1 without a word to the caller, so the header is read once more, unchecked.
    header = kind.header_class(content[: kind.header_class.sizeof_hdr], check=False)
    zooms = np.abs(header["pixdim"][1:4]).tolist()
    steps = [*np.sqrt((affine[:3, :3] ** 2).sum(axis=0)).tolist(), *zooms]
    if not all(np.isfinite(step) and step > 0 for step in steps) or not np.isfinite(affine).all():
        raise ValueError(
            f"{path}: the spacing must be positive, the header says {steps[3:]} and the affine {steps[:3]} [mm]; "
            "correct pixdim, qform and sform in the header"
        )
    return file, affine


def stored_numbers(path: Path, file: Any) -> NDArray[Any]:
    """The voxels of an opened file, scaled as its header says.

    Raises:
        ValueError: voxels are missing, or are not plain numbers.
    """
    try:
        data = np.asanyarray(file.dataobj)
    except _DAMAGE as error:
        raise ValueError(_damaged(path, error)) from error
    if data.dtype.kind not in "buif":
        raise ValueError(f"{path}: values of type {data.dtype} are not intensities or labels; store plain numbers")
    return data


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; complete the raw data or take the case out of dataset.json")
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except gzip.BadGzipFile as error:
        raise ValueError(f"{path}: not a readable NIfTI file ({error}); fetch or export it again") from error
    except _DAMAGE as error:
        raise ValueError(_damaged(path, error)) from error


def _damaged(path: Path, error: BaseException) -> str:
    return f"{path}: the file is truncated or damaged ({' '.join(str(error).split())}); fetch or export it again"
