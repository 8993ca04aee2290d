"""The formats beside NIfTI."""

import locale
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rogseg.preprocessing import digest_files, preprocess_case, preprocess_task, read_image, read_label
from rogseg.storage import read_folder_of_images
from tests.tiny_task import tiny_plan
from tests.unit.preprocessing.raw_files import cube_label, noise, save, write_task

SHAPE = (8, 9, 7)


def _itk_files(folder: Path, ending: str) -> tuple[Path, Path]:
    sitk = pytest.importorskip("SimpleITK")
    affine = np.array([[0, -0.5, 0, 3], [0.75, 0, 0, -2], [0, 0, 2, 9], [0, 0, 0, 1.0]])
    paths = []
    for name, array in (("image", noise(SHAPE)), ("label", cube_label(SHAPE))):
        nifti = save(folder / f"{name}.nii.gz", array, affine)
        paths.append(folder / f"{name}{ending}")
        sitk.WriteImage(sitk.ReadImage(str(nifti)), str(paths[-1]))
    return paths[0], paths[1]


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".mhd"])
def test_other_formats_give_what_nifti_gives(tmp_path: Path, ending: str) -> None:
    image, label = _itk_files(tmp_path, ending)
    volume, expected = read_image([image], 1), read_image([tmp_path / "image.nii.gz"], 1)
    assert np.array_equal(volume.array, expected.array)
    assert np.allclose(volume.affine, expected.affine)
    assert volume.orientation == expected.orientation
    assert np.array_equal(read_label(label, image, volume, (0, 1, 2)), cube_label(SHAPE))


def test_several_channels_and_damage_in_other_formats(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    array = noise((7, 9, 8, 3))
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(tmp_path / "a.nrrd"))
    assert np.array_equal(read_image([tmp_path / "a.nrrd"], 3).array, array.transpose(3, 2, 1, 0))
    content = (tmp_path / "a.nrrd").read_bytes()
    (tmp_path / "a.nrrd").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"a\.nrrd: (the file is truncated or damaged|cannot be read)"):
        read_image([tmp_path / "a.nrrd"], 3)
    (tmp_path / "b.mha").write_text("hello")
    with pytest.raises(ValueError, match=r"b\.mha: cannot be read"):
        read_image([tmp_path / "b.mha"], 1)


def test_the_colours_of_a_picture_are_no_slices(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    sitk.WriteImage(sitk.GetImageFromArray(noise((10, 12, 3)), isVector=True), str(tmp_path / "rgb.mha"))
    with pytest.raises(ValueError, match=r"rgb\.mha: "):
        read_image([tmp_path / "rgb.mha"], 1)


def test_voxels_in_another_file_are_part_of_the_source(tmp_path: Path) -> None:
    image, _ = _itk_files(tmp_path, ".mhd")
    before = digest_files([image])
    voxels = image.with_suffix(".raw")
    voxels.write_bytes(voxels.read_bytes()[::-1])
    assert digest_files([image]) != before
    text = image.read_text()
    for name, message in (
        ("../image.raw", r"other\.mhd: the file of its voxels: .* cannot name a file"),
        ("absent.raw", r"absent\.raw: no such file"),
        ("LIST", r"other\.mhd: its voxels are in several files \(LIST\)"),
    ):
        other = tmp_path / "folder" / "other.mhd"
        other.parent.mkdir(exist_ok=True)
        other.write_text(text.replace("image.raw", name))
        with pytest.raises(ValueError, match=message):
            read_image([other], 1)
        with pytest.raises(ValueError, match=message):
            digest_files([other])
    detached = tmp_path / "detached.nrrd"
    sizes = " ".join(map(str, SHAPE))
    header = ("NRRD0004", "type: float", "dimension: 3", f"sizes: {sizes}", "endian: little", "encoding: raw")
    detached.write_text("\n".join([*header, "data file: ./v", "", ""]))
    (tmp_path / "v").write_bytes(noise(SHAPE).astype("<f4").tobytes(order="F"))
    assert np.array_equal(read_image([detached], 1).array[0], noise(SHAPE))
    before = digest_files([detached])
    (tmp_path / "v").write_bytes(bytes(4))
    assert digest_files([detached]) != before


def _dicom_series(folder: Path, voxels: NDArray[np.int16], positions: Sequence[Sequence[float]]) -> Path:
    """A slice for each position [mm]."""
    sitk = pytest.importorskip("SimpleITK")
    before = locale.setlocale(locale.LC_ALL)  # writing DICOM switches to "C"; reading it must not
    folder.mkdir(parents=True)
    for number, (plane, position) in enumerate(zip(voxels, positions, strict=True)):
        picture = sitk.GetImageFromArray(plane[None])
        picture.SetSpacing((0.8, 0.8, 2.5))
        tags = {
            "0008|0060": "MR",
            "0020|000e": "1.2.826.0.1.3680043.2.1125.1",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.2",
            "0020|0032": "\\".join(map(str, position)),
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(number),
        }
        for tag, value in tags.items():
            picture.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{number}.dcm"))
        writer.Execute(picture)
    locale.setlocale(locale.LC_ALL, before)
    return folder


def test_a_folder_with_a_dicom_series_is_a_file(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 900, (7, 9, 8)).astype(np.int16)
    _dicom_series(tmp_path / "images" / "patient_1", voxels, [(0, 0, 2.5 * number) for number in range(7)])
    before = locale.setlocale(locale.LC_ALL)
    (case,) = read_folder_of_images(tmp_path / "images", 1)
    assert case.case_id == "patient_1"
    volume = read_image(case.images, 1)
    assert volume.shape == (8, 9, 7)
    assert np.array_equal(volume.array[0], voxels.T)
    assert np.allclose(volume.spacing, (0.8, 0.8, 2.5))
    assert volume.orientation == "LPS"
    assert locale.setlocale(locale.LC_ALL) == before
    assert preprocess_case(case.images, tiny_plan())[2].case_id == "patient_1"


@pytest.mark.parametrize(
    ("what", "positions", "message"),
    [
        ("one slice is missing", [(0, 0, z) for z in (0, 1, 2, 4, 5, 6)], "6 slices do not follow one another"),
        ("the second is missing", [(0, 0, z) for z in (0, 2, 3, 4, 5, 6)], "number 2 lies 0.8 mm from where 1.2 mm"),
        ("two series in one", [(0, 0, z) for z in (0, 0, 1, 1, 2, 2)], "some are missing, or there twice"),
        ("no position", [(0, 0, 0)] * 6, "6 slices do not follow one another"),
        ("a tilted gantry", [(0, 0.2 * z, z) for z in range(6)], "sheared, .*a tilted gantry"),
    ],
)
def test_slices_that_no_straight_grid_holds_are_refused(
    tmp_path: Path, what: str, positions: Sequence[Sequence[float]], message: str
) -> None:
    voxels = np.random.default_rng(0).integers(0, 900, (6, 9, 8)).astype(np.int16)
    with pytest.raises(ValueError, match=rf"patient_1: .*{message}"):
        read_image([_dicom_series(tmp_path / "patient_1", voxels, positions)], 1)


def test_slices_whose_positions_are_rounded_are_one_volume(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 900, (6, 9, 8)).astype(np.int16)
    positions = [(0, 0, round(0.625 * number, 1)) for number in range(6)]
    volume = read_image([_dicom_series(tmp_path / "patient_1", voxels, positions)], 1)
    assert np.allclose(volume.spacing, (0.8, 0.8, 0.62))
    assert np.array_equal(volume.array[0], voxels.T)


def test_a_task_may_be_of_another_format(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    raw = write_task(tmp_path / "Mine")
    for path in sorted(raw.glob("*/*.nii.gz")):
        sitk.WriteImage(sitk.ReadImage(str(path)), str(path).replace(".nii.gz", ".nrrd"))
        path.unlink()
    (raw / "dataset.json").write_text((raw / "dataset.json").read_text().replace(".nii.gz", ".nrrd"))
    task = preprocess_task(raw, tmp_path / "out", say=lambda text: None)
    plain = preprocess_task(write_task(tmp_path / "plain" / "Mine"), tmp_path / "other", say=lambda text: None)
    assert task.case_ids == plain.case_ids
    assert np.array_equal(task.case("case_1").read_image(), plain.case("case_1").read_image())


def test_without_simpleitk_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    (tmp_path / "a.nrrd").write_text("NRRD0004")
    with pytest.raises(
        ValueError, match=r"a\.nrrd: .*SimpleITK, which is not installed; run pip install 'rogseg\[itk\]'"
    ):
        read_image([tmp_path / "a.nrrd"], 1)
