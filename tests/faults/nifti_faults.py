"""Raw files that are damaged, lie about their size, or do not say where their voxels are."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing import Volume, preprocess_case, preprocess_volume, read_image, read_label
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import SHAPE, edited, image, labels, patched, voxels
from tests.tiny_task import tiny_plan

# Places in a NIfTI-1 header.
DIM, DATATYPE, PIXDIM, VOX_OFFSET, QUATERN_B, SROW_X = 40, 70, 76, 108, 256, 280


def _read(make: Callable[[Path], Path]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        path = make(folder / "case.nii.gz")
        return lambda: read_image([path], 1)

    return build


def _header(change: Callable[[Any], object]) -> Callable[[Path], Call]:
    return _read(lambda path: edited(image(path), change))


def _bytes(place: int, form: str, *values: float) -> Callable[[Path], Call]:
    return _read(lambda path: patched(image(path), place, form, *values))


def _array(array: NDArray[Any], affine: NDArray[Any] | None = None) -> Callable[[Path], Call]:
    return _read(lambda path: image(path, array, affine))


def _content(content: bytes) -> Callable[[Path], Call]:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return _read(make)


def _bomb(path: Path) -> Path:
    image(path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(30_000_000)))
    return path


def _members(path: Path) -> Path:
    image(path)
    path.write_bytes(path.read_bytes() + gzip.compress(bytes(20_000_000)) * 3)
    return path


def _cut(path: Path) -> Path:
    image(path)
    path.write_bytes(path.read_bytes()[:-500])
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _endless(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def _with_nan(where: tuple[int, int, int], value: float = np.nan) -> NDArray[np.float32]:
    array = voxels()
    array[where] = value
    return array


def _sheared() -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[0, 2] = 0.3
    return affine


def _two_forms(qform: NDArray[np.float64]) -> Callable[[Any], object]:
    def change(header: Any) -> None:
        header.set_sform(np.eye(4), 1)
        header.set_qform(qform, 1)

    return change


def _label(array: NDArray[Any], values: tuple[int, ...] = (0, 1, 2)) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        path, label = image(folder / "image.nii.gz"), image(folder / "label.nii.gz", array)
        return lambda: read_label(label, path, read_image([path], 1), values)

    return build


def _plan_spacing(affine: NDArray[Any]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        path = image(folder / "case.nii.gz", None, affine)
        return lambda: preprocess_case([path], tiny_plan())

    return build


def _given(array: NDArray[Any], spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Callable[[Path], Call]:
    return lambda folder: lambda: preprocess_volume(Volume.of_array(array, spacing), tiny_plan(), None, "mine")


FLIPPED = np.diag([-1.0, 1.0, 1.0, 1.0])

FAULTS = [
    # What is no file, or not the one that it says.
    Fault("missing", _read(lambda path: path), r"no such file; complete the raw data"),
    Fault("empty", _content(b""), "not a readable NIfTI file"),
    Fault("text", _content(b"not an image" * 50), "not a readable NIfTI file"),
    Fault("gzip of text", _content(gzip.compress(b"not an image" * 50)), "not a readable NIfTI file"),
    Fault("gzip of nothing", _content(gzip.compress(b"")), "not a readable NIfTI file"),
    Fault("cut gzip", _read(_cut), "truncated or damaged"),
    Fault("pipe", _read(_pipe), "not a plain file"),
    Fault("link to an endless device", _read(_endless), "not a plain file"),
    Fault("folder without images", _read(_folder), "not a plain file"),
    # Sizes that a header promises.
    Fault("32767 voxels along each axis", _bytes(DIM, "4h", 3, 32767, 32767, 32767), "more than any scanner makes"),
    Fault("more voxels than there are", _bytes(DIM, "4h", 3, 120, 130, 140), "truncated or damaged .it holds"),
    Fault("fewer voxels than there are", _read(_bomb), "unpacks to more than .* its header promises"),
    Fault("several gzips in one file", _read(_members), "unpacks to more than .* its header promises"),
    Fault("an axis of one voxel", _array(voxels(0, (12, 13, 1))), "at least 2 voxels"),
    Fault("two axes", _array(voxels(0, (12, 13))), "three spatial axes"),
    Fault("five axes", _array(voxels(0, (4, 4, 4, 1, 2))), "three spatial axes"),
    Fault("negative axis", _bytes(DIM, "4h", 3, -12, 13, 14), "three spatial axes"),
    Fault("nine axes", _bytes(DIM, "h", 9), "not a readable NIfTI file"),
    Fault("voxels far behind the file", _bytes(VOX_OFFSET, "f", 1e30), "would begin at byte 1"),
    Fault("voxels before the file", _bytes(VOX_OFFSET, "f", -400.0), "not a readable NIfTI file"),
    Fault("voxels nowhere", _bytes(VOX_OFFSET, "f", np.nan), "not a readable NIfTI file"),
    Fault("unknown type of voxels", _bytes(DATATYPE, "h", 77), "not a readable NIfTI file"),
    Fault("colours", _bytes(DATATYPE, "h", 128), "not intensities or labels|truncated"),
    Fault("complex numbers", _array(voxels().astype(np.complex64)), "not intensities or labels"),
    Fault("header and voxels apart", _bytes(344, "4s", b"ni1\0"), "not a readable NIfTI file"),  # type: ignore[arg-type]
    # Where the voxels are.
    Fault("no spacing", _bytes(PIXDIM + 8, "f", 0.0), "spacing must be positive"),
    Fault("spacing that is no number", _bytes(PIXDIM + 4, "f", np.nan), "spacing must be positive"),
    Fault("affine that is no number", _bytes(SROW_X, "f", np.inf), "spacing must be positive"),
    Fault("singular affine", _bytes(SROW_X, "12f", 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0), "spacing must be|is singular"),
    Fault("two axes that point one way", _bytes(SROW_X, "12f", 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0), "is singular"),
    Fault("sheared affine", _array(voxels(), _sheared()), "is sheared.*degrees"),
    Fault("unknown unit", _header(lambda header: header.__setitem__("xyzt_units", 5)), "names no unit of length"),
    Fault("forms of opposite sides", _header(_two_forms(FLIPPED)), "disagree on where the axes point, RAS and LAS"),
    Fault("forms of two spacings", _header(_two_forms(np.diag([1, 1, 3.0, 1]))), "disagree on the spacing"),
    Fault("quaternion that is none", _bytes(252, "hh3f", 1, 0, 3.0, 3.0, 3.0), "qform is no rotation"),
    Fault("spacing of a millionth", _plan_spacing(np.diag([1e-6, 1e-6, 1e-6, 1])), "become .1, 1, 1.*next to nothing"),
    Fault("spacing of ten metres", _plan_spacing(np.diag([1e4, 1e4, 1e4, 1])), r"12, 13, 14.*10000.*more than any"),
    Fault("spacing of a centimetre too thin", _plan_spacing(np.diag([1, 0.01, 1, 1])), "next to nothing is left"),
    # What the voxels are.
    Fault("NaN", _array(_with_nan((1, 2, 3))), "NaN or infinity in 1 voxels"),
    Fault("infinity", _array(_with_nan((0, 0, 0), np.inf)), "NaN or infinity in 1 voxels"),
    Fault("beyond float32", _array(voxels().astype(np.float64) * 1e200), "NaN or infinity in"),
    Fault("slope beyond float32", _bytes(112, "2f", 1e38, 0.0), "NaN or infinity in"),
    Fault("slope that is no number", _bytes(112, "2f", 2.0, np.nan), "not a readable NIfTI file|NaN or infinity"),
    Fault("constant", _array(np.full(SHAPE, 7, np.int16)), r"is constant \(7.0\)"),
    Fault("too few channels", lambda folder: lambda: read_image([image(folder / "a.nii")], 2), "1 channels, 2"),
    Fault("array with NaN", _given(_with_nan((1, 2, 3))), "case 'mine': channel 0 holds NaN"),
    Fault("array with infinity", _given(_with_nan((1, 2, 3), -np.inf)), "case 'mine': channel 0 holds NaN or infinity"),
    Fault("array beyond float32", _given(voxels() * np.float64(1e300)), "case 'mine': channel 0 holds NaN or infinity"),
    Fault("constant array", _given(np.zeros(SHAPE, np.float32)), "case 'mine': channel 0 is constant"),
    Fault("array of texts", _given(np.full(SHAPE, "a")), "holds no intensities"),
    Fault("array of complex numbers", _given(voxels().astype(complex)), "holds no intensities"),
    Fault("flat array", _given(voxels(0, (12, 13))), "a volume has axes"),
    Fault("array of one slice", _given(voxels(0, (1, 12, 13))), "at least 2 voxels"),
    Fault("array without voxels", _given(voxels(0, (0, 12, 13))), "at least 2 voxels"),
    Fault("array with two spacings", _given(voxels(), (1.0, 1.0)), "three lengths"),
    Fault("array with a spacing of 0", _given(voxels(), (1.0, 0.0, 1.0)), "spacing must be positive"),
    Fault("array with a spacing that is no number", _given(voxels(), (1.0, np.nan, 1.0)), "spacing must be positive"),
    Fault("array with microns for millimetres", _given(voxels(), (800.0, 800.0, 800.0)), "spacing or the unit"),
    # Labels.
    Fault("label of another shape", _label(labels((12, 13, 15))), "differs from .12, 13, 14. of"),
    Fault("label with a stranger", _label(labels() * 3), r"holds the values \[3, 6\]"),
    Fault("label with a huge stranger", _label(labels().astype(np.uint32) * 2_000_000_000), "holds the values"),
    Fault("label with halves", _label(labels() * np.float32(0.5)), r"holds the values \[0.5\]"),
    Fault("label of NaN", _label(_with_nan((1, 1, 1)) * 0), r"holds the values \[nan\]"),
    Fault("label of four channels", _label(np.stack([labels()] * 4, axis=-1)), "holds one 3-D map"),
    Fault("negative labels in bytes", _label(labels(), (-1, 0, 1)), r"holds the values \[2\]"),
    Fault("labels beyond bytes in bytes", _label(labels(), (300, 400)), r"holds the values \[0, 1, 2\]"),
    Fault("wide labels with a stranger", _label(labels(), (0, 1, 4_000_000_000)), r"holds the values \[2\]"),
]
