import dataclasses
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


@pytest.mark.parametrize("filled", [slice(0, 0), slice(0, 1), slice(69, 70), slice(0, 70)])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.3])
def test_chunks_of_one_value_come_back(tmp_path: Path, filled: slice, value: float) -> None:
    shape = (70, 8, 9)
    image, label = np.full((2, *shape), value, np.float32), np.zeros(shape, np.uint8)
    image[:, filled], label[filled] = 2.5, 2
    case = write_stored_case(tmp_path / "a", image, label, properties("a", shape))
    case.verify()
    np.testing.assert_array_equal(case.read_image(), image)
    stored = case.read_label()
    assert stored is not None
    np.testing.assert_array_equal(stored, label)


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
    with pytest.raises(ValueError, match=r"missing keys \['raw_shape'\].*run rogseg preprocess"):
        _ = StoredCase(tmp_path / "a").properties


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["image.b2nd", "label.b2nd", "case.json"])
def test_no_flipped_byte_stays_unnoticed(tmp_path: Path, name: str) -> None:
    case = write_example(tmp_path / "a", shape=(66, 20, 9))
    whole = (tmp_path / "a" / name).read_bytes()
    for place in np.linspace(0, len(whole) - 1, 40).astype(int).tolist():
        (tmp_path / "a" / name).write_bytes(whole)
        StoredCase(case.directory).verify()
        _flip(tmp_path / "a" / name, place)
        with pytest.raises(ValueError, match=rf"{name}: .*run rogseg preprocess"):
            StoredCase(case.directory).verify()


def test_only_the_chunks_that_are_read_are_checked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shape = (192, 64, 64)
    image = rng.standard_normal((2, *shape), dtype=np.float32)
    case = write_stored_case(tmp_path / "a", image, None, properties("a", shape, labelled=False))
    # Six chunks of like size in order: four tenths of the file are in the third chunk, which is planes 128 to 191.
    _flip(tmp_path / "a" / "image.b2nd", (tmp_path / "a" / "image.b2nd").stat().st_size * 4 // 10)
    case.read_image((slice(0, 128), slice(None), slice(None)))
    with pytest.raises(ValueError, match=r"image\.b2nd: damaged \(the checksum of chunk 2 differs\)"):
        case.read_image((slice(100, 129), slice(0, 2), slice(0, 2)))


@pytest.mark.parametrize("name", ["image.b2nd", "label.b2nd"])
@pytest.mark.parametrize("what", ["deleted", "cut", "emptied", "text"])
def test_a_lost_array_is_told_with_the_remedy(tmp_path: Path, name: str, what: str) -> None:
    case, path = write_example(tmp_path / "a"), tmp_path / "a" / name
    content = path.read_bytes()
    path.unlink()
    if what != "deleted":
        path.write_bytes({"cut": content[: len(content) // 2], "emptied": b"", "text": b"hello" * 100}[what])
    with pytest.raises(ValueError, match=rf"{name}: (damaged|no such file).*run rogseg preprocess again"):
        (case.read_image if name == "image.b2nd" else case.read_label)()


@pytest.mark.parametrize("text", ["null", "[]", "{}", "3", "{", '{"case_id": 3}', "\x00"])
def test_a_damaged_record_is_one_sentence(tmp_path: Path, text: str) -> None:
    write_example(tmp_path / "a")
    (tmp_path / "a" / "case.json").write_text(text)
    with pytest.raises(ValueError, match=r"case\.json: .*run rogseg preprocess again"):
        _ = StoredCase(tmp_path / "a").properties


def test_cases_of_older_versions_are_read_but_do_not_pass_for_verified(tmp_path: Path) -> None:
    case = write_example(tmp_path / "a")
    image, digest = case.read_image(), case.digest
    data = json.loads((tmp_path / "a" / "case.json").read_text())
    for key in ("checksum", "arrays", "content_digest", "raw_digest", "axes", "raw_forms", "notes"):
        del data[key]
    (tmp_path / "a" / "case.json").write_text(json.dumps(data))
    old = StoredCase(tmp_path / "a")
    np.testing.assert_array_equal(old.read_image(), image)
    assert old.has_label
    assert old.digest == digest
    with pytest.raises(ValueError, match="without checksums"):
        old.verify()


def test_the_digest_tells_one_voxel_and_another_source(tmp_path: Path) -> None:
    shape = (4, 5, 6)
    image, label = np.zeros((2, *shape), np.float32), np.zeros(shape, np.uint8)
    first = write_stored_case(tmp_path / "a", image, label, properties("a", shape)).digest
    assert write_stored_case(tmp_path / "a", image, label, properties("a", shape)).digest == first
    image[1, 0, 0, 0] = 1e-6
    assert write_stored_case(tmp_path / "a", image, label, properties("a", shape)).digest != first
    image[1, 0, 0, 0], label[0, 0, 0] = 0, 1
    assert write_stored_case(tmp_path / "a", image, label, properties("a", shape)).digest != first
    label[0, 0, 0] = 0
    other = dataclasses.replace(properties("a", shape), source_digest="abd")
    assert write_stored_case(tmp_path / "a", image, label, other).digest != first


def test_a_users_file_in_a_case_is_not_removed(tmp_path: Path) -> None:
    case = write_example(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds notes\.txt, which preprocessing did not write; move it away"):
        write_example(tmp_path / "a")
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"
    case.verify()
    (tmp_path / "a" / "notes.txt").rename(tmp_path / "a" / ".DS_Store")
    write_example(tmp_path / "a").verify()
