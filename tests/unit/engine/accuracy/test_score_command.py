"""rogseg test --predictions --labels: what is there is measured, by names, regions and an ignore value."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from rogseg.commands import main


def write(path: Path, array: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 3.0)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array.astype(np.uint8), np.diag([*spacing, 1.0])), path)


def cube(*values: tuple[int, slice]) -> np.ndarray:
    """A volume whose planes have some values."""
    array = np.zeros((10, 4, 4), dtype=np.uint8)
    for value, planes in values:
        array[planes] = value
    return array


def score(folder: Path, *more: str) -> list[dict[str, Any]]:
    folders = ["--predictions", str(folder / "ours"), "--labels", str(folder / "task" / "labelsTr")]
    assert main(["test", *folders, "--out", str(folder / "out"), *more]) == 0
    return [json.loads(line) for line in (folder / "out" / "records.jsonl").read_text().splitlines()]


def test_values_without_names_are_classes_and_the_tolerance_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "task/labelsTr/a.nii.gz", cube((1, slice(0, 4)), (7, slice(4, 6))))
    write(tmp_path / "ours/a.nii.gz", cube((1, slice(2, 4)), (7, slice(4, 6))))
    write(tmp_path / "ours/alone.nii.gz", cube((1, slice(2, 4))))
    (record,) = score(tmp_path)
    assert record["measures"]["Dice"] == [pytest.approx(2 * 2 / (2 + 4)), 1.0]
    assert "NSD 3 mm" in record["measures"]
    told = capsys.readouterr().out
    assert "label 7" in told
    assert "1 prediction has no label, left out, such as alone" in told
    assert main(["report", str(tmp_path / "out")]) == 0
    assert "NSD 3 mm" in (tmp_path / "out" / "report.html").read_text()


def test_label_maps_have_no_channels_whatever_their_names_end_in(tmp_path: Path) -> None:
    for name in ("case_0000", "case_0001"):
        for folder in ("task/labelsTr", "ours"):
            write(tmp_path / folder / f"{name}.nii.gz", cube((1, slice(0, 4))))
    assert [record["case_id"] for record in score(tmp_path)] == ["case_0000", "case_0001"]


def test_labels_without_a_prediction_stand_in_what_is_written(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / f"task/labelsTr/{name}.nii.gz", cube((1, slice(0, 4))))
    write(tmp_path / "ours/a.nii.gz", cube((1, slice(0, 4))))
    assert len(score(tmp_path)) == 1
    rule = "every prediction that has a label; 2 labels have no prediction"
    assert json.loads((tmp_path / "out/header.json").read_text())["identity"]["selection"]["rule"] == rule
    assert main(["report", str(tmp_path / "out")]) == 0
    assert rule in (tmp_path / "out/report.html").read_text()


def test_regions_and_ignored_voxels_are_as_nnunet_has_them(tmp_path: Path) -> None:
    labels = {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}
    index = {"channel_names": {"0": "MR"}, "labels": labels, "regions_class_order": [1, 2], "file_ending": ".nii.gz"}
    (tmp_path / "task").mkdir()
    (tmp_path / "task/dataset.json").write_text(json.dumps(index))
    write(tmp_path / "task/labelsTr/a.nii.gz", cube((1, slice(0, 3)), (2, slice(3, 5)), (3, slice(8, 10))))
    # The last two planes are wrong, but nobody labelled them.
    write(tmp_path / "ours/a.nii.gz", cube((1, slice(0, 4)), (2, slice(4, 5)), (1, slice(8, 10))))
    (record,) = score(tmp_path, "--tolerance", "0.5")
    assert record["measures"]["Dice"] == [1.0, pytest.approx(2 * 1 / (1 + 2))]
    assert "NSD 0.5 mm" in record["measures"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--predictions", "ours"], "give both --predictions and --labels"),
        ([], "name a system to test"),
        (["rog_standard", "--predictions", "ours", "--labels", "true"], "name a system to test, or"),
        (["--predictions", "ours", "--labels", "true", "--cases", "a"], "--cases has no effect on what lies in ours"),
        (["--predictions", "ours", "--labels", "true", "--fold", "all"], "--fold has no effect"),
        (["rog_standard", "best.pth", "--tolerance", "2"], "--tolerance is for --predictions"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    more: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "--out", str(tmp_path / "out"), *more]) == 2
    assert message in capsys.readouterr().err


def test_folders_that_do_not_fit_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "task/labelsTr/a.nii.gz", cube((1, slice(0, 4))))
    write(tmp_path / "ours/b.nii.gz", cube((1, slice(0, 4))))
    folders = ["--predictions", str(tmp_path / "ours"), "--labels", str(tmp_path / "task" / "labelsTr")]
    assert main(["test", *folders, "--out", str(tmp_path / "out")]) == 2
    assert "have no case in common" in capsys.readouterr().err
    write(tmp_path / "ours/a.nii.gz", cube((9, slice(0, 4))))
    assert main(["test", *folders, "--out", str(tmp_path / "out")]) == 2
    assert "holds the values [9]" in capsys.readouterr().err


def test_a_label_file_that_holds_nan_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "ours/a.nii.gz", cube((1, slice(0, 4))))
    (tmp_path / "task/labelsTr").mkdir(parents=True)
    damaged = cube((1, slice(0, 4))).astype(np.float32)
    damaged[9] = np.nan
    nibabel.save(nibabel.Nifti1Image(damaged, np.diag([1.0, 1.0, 3.0, 1.0])), tmp_path / "task/labelsTr/a.nii.gz")
    folders = ["--predictions", str(tmp_path / "ours"), "--labels", str(tmp_path / "task" / "labelsTr")]
    assert main(["test", *folders, "--out", str(tmp_path / "out")]) == 2
    assert "a.nii.gz: it holds the values [nan]" in " ".join(capsys.readouterr().err.split())


def test_other_voxels_behind_the_same_header_are_another_prediction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sitk = pytest.importorskip("SimpleITK")
    for folder, planes in (("task/labelsTr", slice(0, 4)), ("ours", slice(0, 4))):
        (tmp_path / folder).mkdir(parents=True)
        sitk.WriteImage(sitk.GetImageFromArray(cube((1, planes))), str(tmp_path / folder / "a.mhd"))
    (record,) = score(tmp_path)
    assert record["measures"]["Dice"] == [1.0]
    (tmp_path / "ours/a.raw").write_bytes(cube((1, slice(2, 4))).tobytes())
    folders = ["--predictions", str(tmp_path / "ours"), "--labels", str(tmp_path / "task" / "labelsTr")]
    assert main(["test", *folders, "--out", str(tmp_path / "out")]) == 2
    assert "out" in capsys.readouterr().err
