import json
import re
from pathlib import Path
from typing import Any

import pytest

from rogseg.storage import RawCase, read_raw_task
from tests.shared_data import shared_path


def msd(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "modality": {"0": "T2", "1": "ADC"},
        "labels": {"0": "background", "7": "gland", "2": "zone"},
        "training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}],
        "test": ["./imagesTs/b.nii.gz"],
    }
    return {key: value for key, value in (content | changes).items() if value is not None}


def nnunet(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "channel_names": {"0": "T2", "1": "ADC"},
        "labels": {"background": 0, "zone": 2, "gland": 7},
        "numTraining": 1,
        "file_ending": ".nii.gz",
    }
    return {key: value for key, value in (content | changes).items() if value is not None}


def write(directory: Path, content: Any, files: tuple[str, ...] = ()) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "dataset.json").write_text(content if isinstance(content, str) else json.dumps(content))
    for file in files:
        (directory / file).parent.mkdir(exist_ok=True)
        (directory / file).write_bytes(b"")
    return directory


NNUNET_FILES = ("imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz", "imagesTs/b_0000.nii.gz", "imagesTs/b_0001.nii.gz")


def test_msd_layout(tmp_path: Path) -> None:
    task = read_raw_task(write(tmp_path / "Task90_Mine", msd()))
    root = tmp_path / "Task90_Mine"
    assert task.name == "Task90_Mine"
    assert task.modalities == ("T2", "ADC")
    assert list(task.labels.items()) == [(0, "background"), (2, "zone"), (7, "gland")]
    assert task.training == (RawCase("a", (root / "imagesTr/a.nii.gz",), root / "labelsTr/a.nii.gz"),)
    assert task.test == (RawCase("b", (root / "imagesTs/b.nii.gz",), None),)


def test_nnunet_layout(tmp_path: Path) -> None:
    root = write(tmp_path / "Dataset090_Mine", nnunet(), (*NNUNET_FILES, "imagesTr/._a_0000.nii.gz"))
    task = read_raw_task(root)
    assert task.modalities == ("T2", "ADC")
    assert task.labels == {0: "background", 2: "zone", 7: "gland"}
    images = (root / "imagesTr/a_0000.nii.gz", root / "imagesTr/a_0001.nii.gz")
    assert task.training == (RawCase("a", images, root / "labelsTr/a.nii.gz"),)
    assert [case.case_id for case in task.test] == ["b"]


def test_first_version_of_nnunet_lists_cases_and_numbers_files(tmp_path: Path) -> None:
    root = write(tmp_path / "t", msd(), ("imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz"))
    assert [path.name for path in read_raw_task(root).training[0].images] == ["a_0000.nii.gz", "a_0001.nii.gz"]


def test_task_without_test_cases_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    root = write(tmp_path / "t", "\ufeff" + json.dumps(msd(test=None)))
    assert read_raw_task(root).test == ()


def test_relative_folder_is_named_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path / "Task90_Mine", msd()))
    assert read_raw_task(".").name == "Task90_Mine"


def test_a_folder_may_be_named_by_way_of_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "Task90_Mine", msd())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_raw_task("../Task90_Mine").training[0].images[0].name == "a.nii.gz"


def test_hippocampus() -> None:
    task = read_raw_task(shared_path("data/Task04_Hippocampus"))
    assert task.name == "Task04_Hippocampus"
    assert task.labels == {0: "background", 1: "Anterior", 2: "Posterior"}
    assert len(task.training) == 260
    assert all(case.images[0].is_file() and case.label is not None and case.label.is_file() for case in task.training)


@pytest.mark.parametrize("path", ["../x.nii.gz", "/etc/x.nii.gz", "imagesTr/../../x.nii.gz"])
@pytest.mark.parametrize("key", ["image", "label"])
def test_paths_that_escape_are_refused(tmp_path: Path, path: str, key: str) -> None:
    entry = {"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"} | {key: path}
    with pytest.raises(ValueError, match=r"dataset\.json: training: .* points out of the task folder"):
        read_raw_task(write(tmp_path / "t", msd(training=[entry])))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not usable JSON"),
        ("[]", "JSON object"),
        (msd(modality=None), "modality must name the channels"),
        (msd(modality={"0": "T2", "2": "ADC"}), "without a gap"),
        (msd(labels=None), "labels must be an object"),
        (msd(labels={"1": "gland"}), 'add "0": "background"'),
        (msd(labels={"0": "background"}), "no foreground class"),
        (msd(labels={"0": "background", "one": "gland"}), "one whole number"),
        (msd(training=None), "training must be a list"),
        (msd(training=[{"image": "imagesTr/a.nii.gz"}]), "case 'a' has no label"),
        (msd(training=[{"label": "labelsTr/a.nii.gz"}]), "a case needs"),
        (msd(test=["imagesTs/a.nii.gz"]), r"\['a'\] are listed more than once"),
        (msd(test=["imagesTs/b.png"]), "not an image by its name"),
        (msd(training=[], test=[]), "lists no case"),
        (nnunet(labels={"background": 0, "whole": [1, 2]}), "regions"),
        (nnunet(labels={"background": 0, "a": 1, "b": 1}), "stands for two names"),
        (nnunet(labels={"background": 0, "a": 1, "ignore": 2}), "ignore label"),
        (nnunet(file_ending=".png"), "convert the files"),
        (nnunet(numTraining=5), "imagesTr holds 1 cases"),
        (nnunet(channel_names={"0": "T2"}), r"channel numbers \[0, 1\]"),
    ],
)
def test_bad_indices_name_the_file_and_the_remedy(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_raw_task(write(tmp_path / "t", content, NNUNET_FILES))
    assert str(tmp_path / "t") in str(caught.value)


def test_regions_and_ignored_voxels_are_left_to_systems_that_know_them(tmp_path: Path) -> None:
    content = nnunet(labels={"background": 0, "whole": [1, 2], "core": 2, "ignore": 3})
    task = read_raw_task(write(tmp_path / "t", content, NNUNET_FILES), plain_labels=False)
    assert [case.case_id for case in task.training] == ["a"]
    assert task.labels == {}


def test_missing_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dataset\.json: no such file"):
        read_raw_task(tmp_path)


def test_a_folder_that_is_no_task_is_told_apart_and_a_task_near_it_is_named(tmp_path: Path) -> None:
    task = tmp_path / "raw" / "Task50_Mine"
    (task / "imagesTr").mkdir(parents=True)
    (task / "dataset.json").write_text("{}")
    (tmp_path / "stored").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("plan.json", "splits.json"):
        (tmp_path / "stored" / name).write_text("{}")
    for folder, said in (
        (tmp_path / "nowhere", "nowhere: there is no such folder"),
        (task / "dataset.json", r"dataset\.json: is a file; name the folder"),
        (task / "imagesTr", rf"imagesTr/dataset\.json: no such file; the task is {re.escape(str(task))}: name that"),
        (tmp_path / "raw", "name one of the tasks in this folder: Task50_Mine"),
        (tmp_path / "stored", "rogseg preprocess has stored: name the raw one"),
        (tmp_path, "name one of the tasks in this folder: raw/Task50_Mine$"),
        (tmp_path / "empty", "a raw task folder needs it in the MSD or nnU-Net layout"),
    ):
        with pytest.raises(ValueError, match=said):
            read_raw_task(folder)
