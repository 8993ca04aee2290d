"""Units, forms and label values of a file, there and back."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from rogseg.inference import write_prediction
from rogseg.preprocessing import Volume, preprocess_case, read_image, read_label, write_label
from tests.tiny_task import tiny_plan
from tests.unit.preprocessing.raw_files import cube_label, noise, save

SHAPE = (8, 9, 7)


@pytest.mark.parametrize(("unit", "per_mm"), [("mm", 1.0), ("meter", 0.001), ("micron", 1000.0), (None, 1.0)])
def test_lengths_are_read_in_their_unit_and_predictions_keep_it(
    tmp_path: Path, unit: str | None, per_mm: float
) -> None:
    affine = np.array([[0, -0.5, 0, 3], [0.75, 0, 0, -2], [0, 0, 2, 9], [0, 0, 0, 1.0]])
    image = nibabel.Nifti1Image(noise(SHAPE), np.diag([per_mm] * 3 + [1.0]) @ affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii.gz")
    volume = read_image([tmp_path / "a.nii.gz"], 1)
    assert np.allclose(volume.affine, affine, rtol=1e-6)
    _, _, properties = preprocess_case([tmp_path / "a.nii.gz"], tiny_plan())
    write_prediction(tmp_path / "p.nii.gz", cube_label(SHAPE), tiny_plan(), properties)
    written = nibabel.load(tmp_path / "p.nii.gz")
    assert np.allclose(written.affine, image.affine, rtol=1e-6)
    assert written.header.get_xyzt_units()[0] == (unit or "unknown")


@pytest.mark.parametrize(("sform", "qform"), [(1, 1), (2, 0), (0, 1), (4, 1), (0, 0)])
def test_predictions_keep_the_codes_and_both_forms(tmp_path: Path, sform: int, qform: int) -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    other = affine.copy()
    other[:3, 3] = 40 if sform == 4 else 0
    image = nibabel.Nifti1Image(noise(SHAPE), affine)
    image.set_sform(affine if sform else None, sform)
    image.set_qform(other if qform else None, qform)
    if not qform:
        image.header["pixdim"][1:4] = (1, 1, 2)
    nibabel.save(image, tmp_path / "a.nii.gz")
    _, _, properties = preprocess_case([tmp_path / "a.nii.gz"], tiny_plan())
    assert bool(properties.notes) == (sform == 4)
    write_prediction(tmp_path / "p.nii.gz", cube_label(SHAPE), tiny_plan(), properties)
    source, written = nibabel.load(tmp_path / "a.nii.gz"), nibabel.load(tmp_path / "p.nii.gz")
    for name in ("get_sform", "get_qform"):
        ours, code = getattr(written, name)(coded=True)
        theirs, wanted = getattr(source, name)(coded=True)
        assert code == wanted
        assert (ours is None) == (theirs is None)
        assert ours is None or np.allclose(ours, theirs)
    assert np.allclose(written.affine, source.affine)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ((0, 1, 255), np.uint8),
        ((0, 40000), np.uint16),
        ((-5, 300), np.int16),
        ((0, 70000), np.int32),
        ((-1, 40000), np.int32),
        ((0, 4_000_000_000), np.uint32),
        ((-1, 4_000_000_000), np.int64),
        ((0, 2**40), np.int64),
    ],
)
def test_every_label_value_is_kept(tmp_path: Path, values: tuple[int, ...], dtype: type) -> None:
    labels: NDArray[Any] = np.array(values, dtype=np.int64)[np.arange(24).reshape(2, 3, 4) % len(values)]
    write_label(tmp_path / "a.nii.gz", labels, np.eye(4))
    file = nibabel.load(tmp_path / "a.nii.gz")
    assert file.get_data_dtype() == dtype
    assert np.array_equal(np.asarray(file.dataobj), labels)
    grid = Volume(np.broadcast_to(np.float32(0), (1, 2, 3, 4)), np.eye(4))
    assert np.array_equal(np.array(values)[read_label(tmp_path / "a.nii.gz", Path("i"), grid, values)], labels)


def test_values_that_are_no_labels_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no whole numbers"):
        write_label(tmp_path / "a.nii.gz", np.zeros(SHAPE, np.float32), np.eye(4))
    with pytest.raises(ValueError, match="more than 64 bits hold"):
        write_label(tmp_path / "a.nii.gz", np.full(SHAPE, 2**63, np.uint64), np.eye(4))
    assert list(tmp_path.iterdir()) == []


def test_a_wide_range_of_labels_takes_no_memory(tmp_path: Path) -> None:
    classes = cube_label(SHAPE)
    values = (0, 4_000_000_000, -7)
    image = save(tmp_path / "i.nii.gz", noise(SHAPE))
    write_label(tmp_path / "l.nii.gz", np.array(values)[classes], np.eye(4))
    assert np.array_equal(read_label(tmp_path / "l.nii.gz", image, read_image([image], 1), values), classes)


def test_more_than_memory_holds_is_refused_before_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rogseg.preprocessing.memory_limit.available_memory", lambda: 3000)
    monkeypatch.setattr("rogseg.preprocessing.memory_limit._WORTH_ASKING", 0)
    path = save(tmp_path / "a.nii.gz", noise((4, 4, 4)))
    with pytest.raises(ValueError, match=r"GB of memory, and 0\.0 GB are free; crop or resample"):
        read_image([save(path, noise((20, 20, 20)))], 1)
    read_image([save(path, noise((4, 4, 4)))], 1)
