import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from rogseg.storage import StoredCase, write_stored_case
from rogseg.task_plan import Region
from tests.unit.storage.stored_examples import properties, write_example


def test_arrays_and_properties_come_back_exactly(tmp_path: Path) -> None:
    shape = (70, 65, 9)
    rng = np.random.default_rng(1)
    image = rng.standard_normal((2, *shape))
    label = rng.integers(0, 3, shape)
    case = write_stored_case(tmp_path / "a", image, label, properties("a", shape))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["case.json", "image.b2nd", "label.b2nd"]
    assert case.shape == (2, 70, 65, 9)
    assert case.read_image().dtype == np.float32
    np.testing.assert_array_equal(case.read_image(), image.astype(np.float32))
    stored = case.read_label()
    assert stored is not None
    assert stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, label)
    assert StoredCase(tmp_path / "a").properties == properties("a", shape)


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 30), slice(0, 70), slice(0, 9)),
        (slice(3, 4), slice(60, 70), slice(8, 9)),
        (slice(10, 26), slice(30, 66), slice(None)),
        (slice(None, 5), slice(69, None), slice(2, 3)),
    ],
)
def test_region_is_the_part_of_the_whole(tmp_path: Path, region: Region) -> None:
    case = write_example(tmp_path / "a")
    whole = case.read_label()
    part = case.read_label(region)
    assert whole is not None
    assert part is not None
    np.testing.assert_array_equal(case.read_image(region), case.read_image()[(slice(None), *region)])
    np.testing.assert_array_equal(part, whole[region])


@pytest.mark.parametrize(
    "region",
    [
        (slice(-2, 4), slice(0, 4), slice(0, 4)),
        (slice(0, 31), slice(0, 4), slice(0, 4)),
        (slice(4, 4), slice(0, 4), slice(0, 4)),
        (slice(30, None), slice(0, 4), slice(0, 4)),
        (slice(0, 4, 2), slice(0, 4), slice(0, 4)),
    ],
)
def test_region_outside_the_volume_is_refused(tmp_path: Path, region: Region) -> None:
    case = write_example(tmp_path / "a")
    with pytest.raises(ValueError, match="leaves the volume"):
        case.read_image(region)
    with pytest.raises(ValueError, match="leaves the volume"):
        case.read_label(region)


def test_case_without_label(tmp_path: Path) -> None:
    case = write_example(tmp_path / "a", labelled=False)
    assert not case.has_label
    assert case.read_label() is None
    assert case.properties.class_places is None


def test_writing_again_replaces_the_case(tmp_path: Path) -> None:
    write_example(tmp_path / "a")
    case = write_example(tmp_path / "a", shape=(5, 6, 7), labelled=False)
    assert case.shape == (2, 5, 6, 7)
    assert not case.has_label
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_case_travels_to_workers(tmp_path: Path) -> None:
    case = write_example(tmp_path / "a")
    copy: StoredCase = pickle.loads(pickle.dumps(case))
    np.testing.assert_array_equal(copy.read_image(), case.read_image())


def test_shapes_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="case 'a': the image has shape"):
        write_stored_case(tmp_path / "a", np.zeros((1, 4, 4, 4)), None, properties("a", (4, 4, 4)))
    with pytest.raises(ValueError, match="case 'a': the label has shape"):
        write_stored_case(tmp_path / "a", np.zeros((2, 4, 4, 4)), np.zeros((4, 4, 5)), properties("a", (4, 4, 4)))
    assert list(tmp_path.iterdir()) == []


def test_broken_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a stored case"):
        StoredCase(tmp_path)
    write_example(tmp_path / "a")
    content = json.loads((tmp_path / "a" / "case.json").read_text())
    del content["raw_shape"]
    (tmp_path / "a" / "case.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"missing keys \['raw_shape'\].*run tools/preprocess"):
        _ = StoredCase(tmp_path / "a").properties
