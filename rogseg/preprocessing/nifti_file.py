"""One NIfTI file: its header checked before anything is unpacked, refused with a reason where it is damaged."""

import os
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.volumeutils import apply_read_scaling
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from rogseg.foreign import open_regular
from rogseg.preprocessing.memory_limit import check_memory
from rogseg.preprocessing.orientation import orientation_of
from rogseg.preprocessing.raw_file import RawFile, check_affine, check_size
from rogseg.storage import RawForms

__all__ = ["open_nifti"]

_REMEDY = "complete the raw data or take the case out of dataset.json"
_HEADER = 4096  # bytes; the largest header has 540
_SLACK = 2**16  # bytes that may follow the voxels
_UNITS = {0: ("unknown", 1.0), 1: ("meter", 1000.0), 2: ("mm", 1.0), 3: ("micron", 0.001)}
# nibabel meets damaged headers with any of these.
_DAMAGE = (HeaderDataError, WrapStructError, ValueError, KeyError, OverflowError, TypeError)


def open_nifti(path: Path) -> RawFile:
    """Read the header of a file of three or four axes.

    Raises:
        ValueError: the file is missing or damaged, has other axes, promises more than memory holds, or its affine is no
            grid of cuboid voxels.
    """
    packed = path.suffix == ".gz"
    with open_regular(path, _REMEDY) as file:
        size = os.fstat(file.fileno()).st_size
        check_memory(size, f"{path}: a file of {size:,} bytes", "crop or resample it")
        content = file.read(size)
    start = _unpacked_start(path, content) if packed else content[:_HEADER]
    kind = Nifti2Header if Nifti2Header.may_contain_header(start) else Nifti1Header
    try:
        if not kind.may_contain_header(start):
            raise ValueError("it does not begin as one")
        header: Any = kind(start[: kind.sizeof_hdr], check=False)
        if header["magic"].item().rstrip(b"\0\r\n\x1a") not in (b"n+1", b"n+2"):
            raise ValueError("the voxels are not in the same file")
        shape = tuple(int(length) for length in header.get_data_shape())
        dtype = header.get_data_dtype()
        offset, slope = int(header["vox_offset"]), header.get_slope_inter()
        if not 0 <= offset < 2**40:
            raise ValueError(f"the voxels would begin at byte {offset}")
    except _DAMAGE as error:
        raise ValueError(f"{path}: not a readable NIfTI file ({_one_line(error)}); fetch or export it again") from error
    check_size(path, shape, dtype.itemsize)
    affine, forms, notes = _grid(path, header)
    load = partial(_voxels, path, content, packed, (shape, dtype, offset), slope)
    return RawFile(path, shape, affine, forms, forms.sform_code > 0 or forms.qform_code > 0, notes, load)


def _grid(path: Path, header: Any) -> tuple[NDArray[np.float64], RawForms, tuple[str, ...]]:
    """Affine [mm], how the header says it, and what is to be said of it."""
    unit = _UNITS.get(int(header["xyzt_units"]) & 7)
    if unit is None:
        raise ValueError(
            f"{path}: xyzt_units is {int(header['xyzt_units'])}, which names no unit of length; set it to mm in the "
            "header"
        )
    # A header that contradicts the affine with a spacing of 0 is not to be trusted.
    zooms = np.abs(header["pixdim"][1:4].astype(np.float64))
    if not (np.isfinite(zooms).all() and (zooms > 0).all()):
        raise ValueError(
            f"{path}: the spacing must be positive, the header says {zooms.tolist()} [mm]; correct pixdim, qform and "
            "sform in the header"
        )
    if abs(header["pixdim"][0]) != 1:  # by the standard 0 means 1; what else is there means nothing
        header["pixdim"][0] = 1
    try:
        sform, sform_code = header.get_sform(coded=True)
        qform, qform_code = header.get_qform(coded=True)
        affine = sform if sform is not None else qform if qform is not None else header.get_base_affine()
    except _DAMAGE as error:
        raise ValueError(
            f"{path}: its qform is no rotation ({_one_line(error)}); correct qform and sform in the header"
        ) from error
    to_mm = np.array([[unit[1]]] * 3 + [[1.0]])
    affine = to_mm * np.asarray(affine, dtype=np.float64)
    check_affine(path, affine)
    notes: tuple[str, ...] = ()
    other = None
    if sform is not None and qform is not None:
        qform = to_mm * np.asarray(qform, dtype=np.float64)
        if not float(np.abs(qform - affine).max()) <= 1e-3 * float(np.abs(affine[:3, :3]).max()):  # NaN is no equal
            other = tuple(tuple(row) for row in qform.tolist())
            notes = _disagreement(path, affine, qform)
    return affine, RawForms(unit[0], int(sform_code), int(qform_code), other), notes


def _disagreement(path: Path, sform: NDArray[np.float64], qform: NDArray[np.float64]) -> tuple[str, ...]:
    steps = [np.sqrt((form[:3, :3] ** 2).sum(axis=0)) for form in (sform, qform)]
    remedy = "set the code of the wrong one to 0, or make them equal"
    if not np.isfinite(qform).all() or orientation_of(sform) != orientation_of(qform):
        raise ValueError(
            f"{path}: sform and qform disagree on where the axes point, {orientation_of(sform)} and "
            f"{orientation_of(qform) if np.isfinite(qform).all() else 'nowhere'}; {remedy}"
        )
    if not np.allclose(steps[0], steps[1], rtol=0.01):
        raise ValueError(
            f"{path}: sform and qform disagree on the spacing, {steps[0].tolist()} and {steps[1].tolist()} "
            f"[mm]; {remedy}"
        )
    shift = float(np.linalg.norm(sform[:3, 3] - qform[:3, 3]))
    return (
        f"{path}: sform and qform disagree on where the patient lies ({shift:.3g} mm at the first voxel); sform was "
        "taken",
    )


def _voxels(
    path: Path, content: bytes, packed: bool, layout: tuple[tuple[int, ...], Any, int], scaling: tuple[Any, Any]
) -> NDArray[Any]:
    shape, dtype, offset = layout
    number = int(np.prod(shape, dtype=np.int64))
    size = offset + number * dtype.itemsize
    content = _unpacked(path, content, size) if packed else content
    if len(content) < size:
        raise ValueError(
            f"{path}: the file is truncated or damaged (it holds {len(content):,} of {size:,} bytes); fetch or export "
            "it again"
        )
    data = np.frombuffer(content, dtype, number, offset).reshape(shape, order="F")
    slope, inter = scaling
    if dtype.kind not in "buif" or slope is None or (slope, inter) == (1.0, 0.0):
        return data
    scaled: NDArray[Any] = apply_read_scaling(data, slope, inter)
    return scaled


def _unpacked_start(path: Path, content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        raise ValueError(f"{path}: not a readable NIfTI file (it is not gzip); fetch or export it again")
    try:
        return zlib.decompressobj(31).decompress(content, _HEADER)
    except zlib.error as error:
        raise ValueError(_damaged(path, error)) from error


def _unpacked(path: Path, content: bytes, size: int) -> bytes:
    """What gzip holds, checked, and never much more than the `size` that the header promises."""
    parts, total = [], 0
    while content:
        member, room = zlib.decompressobj(31), size + _SLACK - total
        if room <= 0:
            raise _too_much(path, size)
        try:
            part = member.decompress(content, room)
        except zlib.error as error:
            raise ValueError(_damaged(path, error)) from error
        total += len(part)
        parts.append(part)
        if not member.eof:
            raise _too_much(path, size) if len(part) >= room else ValueError(_damaged(path, "it ends early"))
        content = member.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_much(path: Path, size: int) -> ValueError:
    return ValueError(
        f"{path}: it unpacks to more than the {size:,} bytes that its header promises, so one of them is wrong; fetch "
        "or export it again"
    )


def _damaged(path: Path, error: object) -> str:
    return f"{path}: the file is truncated or damaged ({_one_line(error)}); fetch or export it again"


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
