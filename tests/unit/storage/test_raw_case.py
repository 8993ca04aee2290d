from pathlib import Path

import pytest

from rogseg.storage import case_id_of, read_folder_of_images
from rogseg.storage.raw_case import group_channels


def fill(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_bytes(b"")
    return directory


def test_plain_files_are_one_case_each(tmp_path: Path) -> None:
    fill(tmp_path, "b.nii", "a.x.nii.gz", "._a.nii.gz", "notes.txt")
    cases = read_folder_of_images(tmp_path, num_channels=2)
    assert [(case.case_id, case.images, case.label) for case in cases] == [
        ("a.x", (tmp_path / "a.x.nii.gz",), None),
        ("b", (tmp_path / "b.nii",), None),
    ]


def test_numbered_files_are_grouped_by_case(tmp_path: Path) -> None:
    fill(tmp_path, "a_0001.nii.gz", "a_0000.nii.gz", "b_12_0000.nii.gz", "b_12_0001.nii.gz")
    cases = read_folder_of_images(tmp_path, num_channels=2)
    assert [(case.case_id, [path.name for path in case.images]) for case in cases] == [
        ("a", ["a_0000.nii.gz", "a_0001.nii.gz"]),
        ("b_12", ["b_12_0000.nii.gz", "b_12_0001.nii.gz"]),
    ]


def test_numbers_of_cases_are_not_taken_for_channels(tmp_path: Path) -> None:
    fill(tmp_path, "case_0007.nii.gz", "case_0012.nii.gz")
    assert [case.case_id for case in read_folder_of_images(tmp_path, 1)] == ["case_0007", "case_0012"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "holds no"),
        (("a_0000.nii.gz",), r"case 'a' has the channel numbers \[0\]"),
        (("a_0000.nii.gz", "a_0002.nii.gz"), r"numbers \[0, 2\]"),
        (("a_0000.nii.gz", "a_0001.nii.gz", "b.nii.gz"), "no channel number"),
        (("a.nii.gz", "a.nii"), r"several files for the cases \['a'\]"),
    ],
)
def test_unclear_folders_are_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_folder_of_images(fill(tmp_path, *names), num_channels=2)


def test_absent_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        read_folder_of_images(tmp_path / "none", 1)


def test_case_id_drops_folder_and_ending() -> None:
    assert case_id_of(Path("x/liver_10.nii.gz")) == "liver_10"
    with pytest.raises(ValueError, match="cannot name a file"):
        case_id_of(Path(".nii.gz"))


def test_of_a_folder_without_images_those_inside_that_have_some_are_named(tmp_path: Path) -> None:
    (tmp_path / "imagesTr").mkdir()
    (tmp_path / "imagesTr" / "a.nii.gz").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"name one of its folders that do: imagesTr$"):
        read_folder_of_images(tmp_path, 1)


def test_where_no_file_has_a_channel_number_none_is_said_to_have_one() -> None:
    with pytest.raises(ValueError, match=r"a\.nii\.gz: has no channel number") as refused:
        group_channels(Path("images"), [Path("images/a.nii.gz"), Path("images/b.nii.gz")], 1)
    assert "other files in the folder end" not in str(refused.value)
    assert "dataset.json in nnU-Net's words" in str(refused.value)
