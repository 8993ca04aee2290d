"""Files of other formats through SimpleITK, an extra: NRRD, MetaImage, and folders that hold a DICOM series."""

import contextlib
import locale
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import checked_name, open_regular
from rogseg.preprocessing.raw_file import RawFile, check_affine, check_size
from rogseg.storage import RawForms, is_nifti

__all__ = ["files_of", "open_itk"]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_DAMAGE = (RuntimeError, ValueError, TypeError)  # what SimpleITK raises for whatever is wrong with a file
_REMEDY = "complete the raw data or take the case out of dataset.json"
_HEADER = 2**16  # bytes
_VOXELS_ELSEWHERE = re.compile(rb"^(?:ElementDataFile\s*=|data ?file:)\s*(?:\./)?(.*\S)", re.MULTILINE | re.IGNORECASE)
_MAX_UNEVEN = 0.2  # of the distance between slices; one that is missing moves others by a third of it at least


def open_itk(path: Path) -> RawFile:
    """Read the header of a file, or of the one series in a folder of DICOM files.

    Raises:
        ValueError: SimpleITK is not installed, or the file cannot be used.
    """
    sitk = _simple_itk(path)
    for part in () if path.is_dir() else files_of(path):
        open_regular(part, _REMEDY).close()
    try:
        with _same_locale():
            image, components, load = _opened(path, sitk)
        size = tuple(int(length) for length in image.GetSize())
        geometry = image.GetSpacing(), image.GetDirection(), image.GetOrigin()
    except _DAMAGE as error:
        raise ValueError(f"{path}: cannot be read ({_reason(error)}); export it again, or as NIfTI") from error
    shape = size if components == 1 else (*size, components)
    check_size(path, size if len(size) < 3 else shape, 8)  # the colours of a picture are no slices
    dimension = len(size)
    direction = np.array(geometry[1]).reshape(dimension, dimension)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(geometry[0])[:3]
    affine[:3, 3] = np.array(geometry[2])[:3]
    affine = _LPS_TO_RAS @ affine
    check_affine(path, affine)
    return RawFile(path, shape, affine, RawForms("mm", 1, 1), True, (), load)


def files_of(path: Path) -> list[Path]:
    """A file, and the one beside it that has its voxels, where its header names one.

    Raises:
        ValueError: it cannot be read, or its voxels are in several files or in another folder.
    """
    with open_regular(path, _REMEDY) as file:
        header = b"" if is_nifti(path) else re.split(rb"\r?\n\r?\n", file.read(_HEADER))[0]
    found = _VOXELS_ELSEWHERE.search(header)
    name = "LOCAL" if found is None else found[1].decode(errors="replace")
    if name.upper() == "LOCAL":
        return [path]
    if name.upper().startswith("LIST") or "%" in name:
        raise ValueError(f"{path}: its voxels are in several files ({name}); export it as one")
    return [path, path.with_name(checked_name(name, f"{path}: the file of its voxels"))]


@contextlib.contextmanager
def _same_locale() -> Iterator[None]:
    # GDCM switches the whole process to the locale "C", after which Python takes every text file for ASCII.
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def _opened(path: Path, sitk: Any) -> tuple[Any, int, Callable[[], NDArray[Any]]]:
    """What knows the grid, the number of channels, and what reads the voxels."""
    if path.is_dir():
        # What a series is turns out when its files are read.
        image = _series(path, sitk)
        return image, image.GetNumberOfComponentsPerPixel(), partial(_numbers, image, sitk)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader, reader.GetNumberOfComponents(), partial(_execute, path, reader, sitk)


def _simple_itk(path: Path) -> Any:
    try:
        import SimpleITK
    except ImportError as error:
        raise ValueError(
            f"{path}: NRRD, MetaImage and DICOM are read through SimpleITK, which is not installed; run pip install "
            "'rogseg[itk]' (or pip install SimpleITK), or convert the file to NIfTI"
        ) from error
    itk: Any = SimpleITK
    itk.ProcessObject.GlobalWarningDisplayOff()
    return itk


def _series(path: Path, sitk: Any) -> Any:
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(path))
    if len(series) != 1:
        raise ValueError(f"the folder holds {len(series)} DICOM series where there must be one")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), series[0])
    for name in names:
        open_regular(name).close()
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    image = reader.Execute()
    if 1 < len(names) == image.GetSize()[2]:  # else a file holds several slices, which say themselves where they lie
        _place_slices(image, np.array([_position(name, sitk) for name in names]))
    return image


def _position(name: str, sitk: Any) -> Sequence[float]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(name)
    reader.ReadImageInformation()
    position: Sequence[float] = reader.GetOrigin()
    return position


def _place_slices(image: Any, positions: NDArray[np.float64]) -> None:
    """Let the third axis lead from the first slice to the last, since ITK takes it to be upright and its steps equal.

    Raises:
        ValueError: the steps are not equal.
    """
    steps = np.arange(len(positions))[:, None]
    step = (positions[-1] - positions[0]) / steps[-1]
    length = float(np.linalg.norm(step))
    off = np.linalg.norm(positions - (positions[0] + steps * step), axis=1)
    if not off.max() < _MAX_UNEVEN * length:
        raise ValueError(
            f"its {len(positions)} slices do not follow one another in equal steps: number {int(off.argmax()) + 1} "
            f"lies {off.max():.3g} mm from where {length:.3g} mm a step put it; some are missing, or there twice"
        )
    direction = np.array(image.GetDirection()).reshape(3, 3)
    direction[:, 2] = step / length
    image.SetDirection(direction.flatten().tolist())
    image.SetSpacing((*image.GetSpacing()[:2], length))


def _execute(path: Path, reader: Any, sitk: Any) -> NDArray[Any]:
    try:
        with _same_locale():
            return _numbers(reader.Execute(), sitk)
    except _DAMAGE as error:
        raise ValueError(f"{path}: the file is truncated or damaged ({_reason(error)}); export it again") from error


def _numbers(image: Any, sitk: Any) -> NDArray[Any]:
    """Voxels in the order (x, y, z) or (x, y, z, channel) of NIfTI files."""
    array: NDArray[Any] = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        return np.moveaxis(array.T, 0, -1)
    return array.T


def _reason(error: BaseException) -> str:
    """The last line of ITK's report, which says what is wrong after pages on where in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
