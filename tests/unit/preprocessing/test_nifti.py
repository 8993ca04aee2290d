import gzip
import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from rogseg.preprocessing import Volume, read_image, read_label, write_image, write_label
from tests.unit.preprocessing.raw_files import cube_label, noise, save

SHAPE = (8, 9, 7)


def test_the_channel_comes_first_and_the_axes_stay(tmp_path: Path) -> None:
    stored = noise((*SHAPE, 3))
    affine = np.diag([0.5, 0.75, 2.0, 1.0])
    volume = read_image([save(tmp_path / "a.nii.gz", stored, affine)], 3)
    assert np.array_equal(volume.array, np.moveaxis(stored, -1, 0))
    assert volume.array.dtype == np.float32
    assert volume.spacing == (0.5, 0.75, 2.0)
    assert volume.shape == SHAPE


@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 1)])
def test_one_file_per_channel(tmp_path: Path, shape: tuple[int, ...]) -> None:
    paths = [save(tmp_path / f"a_{channel:04d}.nii.gz", noise(SHAPE, channel).reshape(shape)) for channel in range(2)]
    assert np.array_equal(read_image(paths, 2).array, np.stack([noise(SHAPE, 0), noise(SHAPE, 1)]))


def test_scaled_integers_are_read_in_their_units(tmp_path: Path) -> None:
    raw: NDArray[np.int16] = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 200).astype(np.int16)
    image = nibabel.Nifti1Image(raw, np.eye(4))
    image.header.set_slope_inter(2.0, -1024.0)
    nibabel.save(image, tmp_path / "a.nii")
    assert np.array_equal(read_image([tmp_path / "a.nii"], 1).array[0], raw * 2.0 - 1024.0)


def _bad_image(path: Path, what: str) -> None:
    array = noise(SHAPE)
    if what == "nan":
        array[1, 2, 3] = np.nan
    elif what == "infinity":
        array[1, 2, 3] = np.inf
    elif what == "constant":
        array[:] = 7
    elif what == "flat":
        array = noise(SHAPE[:2])
    elif what == "slice":
        array = noise((8, 9, 1))
    save(path, array)
    if what == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif what == "truncated inside":
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-100]))
    elif what == "text":
        path.write_text("not an image")
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "missing":
        path.unlink()
    elif what == "zero spacing":
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[76 + 8 : 76 + 12] = bytes(4)  # pixdim[2]
        path.write_bytes(gzip.compress(bytes(content)))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "no such file.*complete the raw data"),
        ("truncated", "truncated or damaged.*export it again"),
        ("truncated inside", "truncated or damaged.*export it again"),
        ("text", "not a readable NIfTI.*export it again"),
        ("empty", "not a readable NIfTI.*export it again"),
        ("nan", "NaN or infinity in 1 voxels; replace"),
        ("infinity", "NaN or infinity in 1 voxels; replace"),
        ("constant", r"channel 0 is constant \(7.0\)"),
        ("flat", "three spatial axes.*stack the slices"),
        ("slice", "three spatial axes.*stack the slices"),
        ("zero spacing", "spacing must be positive.*correct pixdim"),
    ],
)
def test_a_bad_image_is_named_with_its_fault_and_the_remedy(tmp_path: Path, what: str, message: str) -> None:
    path = tmp_path / "case.nii.gz"
    _bad_image(path, what)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_image([path], 1)


def test_a_handedness_of_nought_is_the_usual_one(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.arange(120, dtype=np.int16).reshape(4, 5, 6), np.diag([2, 2, 3, 1.0]))
    image.set_sform(None, 0)
    image.set_qform(np.diag([2, 2, 3, 1.0]), 1)
    content = bytearray(image.to_bytes())
    content[76:80] = np.float32(0).tobytes()  # pixdim[0]
    (tmp_path / "a.nii").write_bytes(content)
    assert np.array_equal(read_image([tmp_path / "a.nii"], 1).affine, np.diag([2, 2, 3, 1.0]))


def test_channels_are_counted(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", noise((*SHAPE, 2)))
    with pytest.raises(ValueError, match=r"a.nii.gz: it has 2 channels, 3 expected"):
        read_image([path], 3)


def _image(tmp_path: Path) -> tuple[Path, Volume]:
    path = save(tmp_path / "image.nii.gz", noise(SHAPE))
    return path, read_image([path], 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_labels_of_any_type_become_class_indices(tmp_path: Path, dtype: type) -> None:
    path, volume = _image(tmp_path)
    classes = cube_label(SHAPE)
    raw: NDArray[Any] = np.array([0, 7, 3])[classes].astype(dtype)
    label = save(tmp_path / "label.nii.gz", raw)
    assert np.array_equal(read_label(label, path, volume, [0, 7, 3]), classes)


@pytest.mark.parametrize("stranger", [5.0, 1.5, -1.0, float("nan"), 300.0])
def test_a_value_outside_the_list_is_refused(tmp_path: Path, stranger: float) -> None:
    path, volume = _image(tmp_path)
    raw = cube_label(SHAPE).astype(np.float32)
    raw[0, 0, 0] = stranger
    label = save(tmp_path / "label.nii.gz", raw)
    with pytest.raises(ValueError, match=rf"label.nii.gz: it holds the values \[{stranger}\].*labels \[0, 1, 2, 9\]"):
        read_label(label, path, volume, [0, 1, 2, 9])


def test_more_labels_than_a_byte_tells_apart_are_refused(tmp_path: Path) -> None:
    path, volume = _image(tmp_path)
    label = save(tmp_path / "label.nii.gz", np.full(SHAPE, 1000 * 299, np.int32))
    with pytest.raises(ValueError, match=r"label.nii.gz: its voxels may have 300 label values, of which 255 "):
        read_label(label, path, volume, [1000 * index for index in range(300)])


def test_slightly_different_affines_pass_and_others_do_not(tmp_path: Path) -> None:
    path, volume = _image(tmp_path)
    affine = np.eye(4)
    affine[:3, 3] = 0.01
    label = save(tmp_path / "label.nii.gz", cube_label(SHAPE), affine)
    assert read_label(label, path, volume, [0, 1, 2]).sum() > 0
    affine[:3, 3] = 1.0
    save(label, cube_label(SHAPE), affine)
    with pytest.raises(ValueError, match=r"label.nii.gz: its affine puts voxels 1 voxels away from those of .*image"):
        read_label(label, path, volume, [0, 1, 2])


def test_another_shape_is_refused(tmp_path: Path) -> None:
    path, volume = _image(tmp_path)
    label = save(tmp_path / "label.nii.gz", cube_label((8, 9, 6)))
    with pytest.raises(ValueError, match=r"shape \(8, 9, 6\) differs from \(8, 9, 7\) of .*image.nii.gz; resample"):
        read_label(label, path, volume, [0, 1, 2])


def test_written_labels_are_read_back_with_their_affine(tmp_path: Path) -> None:
    affine = np.array([[0, -0.5, 0, 3], [0.75, 0, 0, -2], [0, 0, 2, 9], [0, 0, 0, 1.0]])
    labels = cube_label(SHAPE)
    write_label(tmp_path / "out" / "a.nii.gz", labels, affine)
    file = nibabel.load(tmp_path / "out" / "a.nii.gz")
    assert file.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(file.dataobj), labels)
    assert np.allclose(file.affine, affine)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.nii.gz"]


@pytest.mark.parametrize(
    ("values", "kind", "written"),
    [
        ([0.0, 255.0], np.uint8, np.uint8),
        ([0.0, 256.0], np.uint8, np.float32),
        ([-3.0, 7.0], np.dtype(">i2"), np.int16),
        ([0.5, 7.0], np.int16, np.float32),
        ([0.1, 7.0], np.float64, np.float64),
    ],
)
def test_an_image_keeps_the_type_of_its_file_where_that_holds_every_value(
    values: list[float], kind: Any, written: type, tmp_path: Path
) -> None:
    image = np.array(values, dtype=np.float32).repeat(4).reshape(1, 2, 2, 2)
    write_image(tmp_path / "a.nii.gz", image, np.eye(4), kind=np.dtype(kind))
    assert nibabel.load(tmp_path / "a.nii.gz").get_data_dtype() == written
    assert np.array_equal(read_image([tmp_path / "a.nii.gz"], 1).array, image)
