"""Adversarial volumes as files, which ``rogseg test`` reads as it reads a patient's."""

import json
import shutil
from pathlib import Path
from typing import Literal

import nibabel
import numpy as np
import pytest

from rogseg.commands import main
from tests.raw_tasks import CASE_IDS, TASK, store_with_networks, write_raw_task
from tests.unit.systems.nnunet.tiny_folder import REGIONS, tiny_dataset, tiny_plans, write_case, write_folder

EPSILON = 16 / 255


def lines(folder: Path, condition: str) -> dict[str, dict[str, list[float]]]:
    entries = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return {entry["case_id"]: entry["measures"] for entry in entries if entry["condition"] == condition}


def attack_and_save(directory: Path, raw: Path, kind: Literal["ct", "mr"], *more: str) -> tuple[list[str], Path]:
    config = store_with_networks(directory, raw, kind, ("own",))
    system = [str(config), str(directory / "own.pth"), "--task", str(directory / "stored" / TASK)]
    attack = [
        "--attack",
        "pgd",
        "--attack-options",
        "attack.num_iterations=2",
        "--epsilon",
        "16/255",
        "--sanity",
        "none",
    ]
    out = directory / "attack"
    chosen = ["--cases", *CASE_IDS[:1], "--save-adversarial", "--out", str(out), *more]
    assert main(["attack", *system, *attack, *chosen]) == 0
    return system, out


@pytest.mark.parametrize("kind", ["ct", "mr"])
def test_a_file_gives_the_dice_that_the_attack_recorded(
    kind: Literal["ct", "mr"], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = write_raw_task(tmp_path, kind)
    system, out = attack_and_save(tmp_path, raw, kind)
    task = out / "adversarial" / f"pgd_{EPSILON:.5f}" / TASK
    cases = ["--data", str(task), "--cases", *CASE_IDS[:1]]
    assert main(["test", *system, *cases, "--out", str(tmp_path / "test")]) == 0
    recorded, replayed = lines(out, "pgd"), lines(tmp_path / "test", "clean")
    clean = lines(out, "clean")
    assert set(recorded) == set(replayed) == set(CASE_IDS[:1])
    for case_id in CASE_IDS[:1]:
        assert replayed[case_id]["Dice"] == recorded[case_id]["Dice"] != clean[case_id]["Dice"]
        assert lines(out / "replayed", "pgd")[case_id]["Dice"] == recorded[case_id]["Dice"]
        before, after = (nibabel.load(folder / "imagesTr" / f"{case_id}.nii.gz") for folder in (raw, task))
        for form in ("get_qform", "get_sform"):
            (old, old_code), (new, new_code) = (getattr(file, form)(coded=True) for file in (before, after))
            assert old_code == new_code
            np.testing.assert_allclose(new, old, atol=1e-5)
        old, new = (np.asarray(file.dataobj, dtype=np.float64) for file in (before, after))
        # The window's width is what epsilon is a fraction of; what moves, moves from inside of it.
        lower, upper = (-100.0, 200.0) if kind == "ct" else (0.05 * 255, 0.6 * 255)
        moved = np.abs(new - np.where(new == old, old, np.clip(old, lower, upper)))
        assert EPSILON * (upper - lower) * 0.99 < moved.max() < EPSILON * (upper - lower) * 1.0001
        assert kind == "ct" or (new.min(), new.max()) == (old.min(), old.max())
    table = (out / "replayed" / "table.md").read_text()
    assert "| 1 of 1 |" in table


def test_a_resampled_case_has_both_numbers_on_record_and_says_why(tmp_path: Path) -> None:
    raw = write_raw_task(tmp_path, "ct", (1.3, 1.0, 0.8))
    _, out = attack_and_save(tmp_path, raw, "ct")
    recorded, replayed = lines(out, "pgd"), lines(out / "replayed", "pgd")
    assert all(recorded[case_id]["Dice"] != replayed[case_id]["Dice"] for case_id in recorded)
    made = json.loads((out / "adversarial" / f"pgd_{EPSILON:.5f}" / "made" / "small_0.json").read_text())
    assert made["dice"] == recorded["small_0"]["Dice"]
    assert made["notes"] == ["its plan resamples the case"]
    table = (out / "replayed" / "table.md").read_text()
    assert "| 0 of 1 |" in table
    assert "Seen otherwise than attacked, 1 of 1: its plan resamples the case." in table


def test_the_dice_of_regions_is_what_the_attack_saw(tmp_path: Path) -> None:
    """Regions share label values, so that the Dice of each value by itself is another number."""
    pytest.importorskip("nnunetv2")
    dataset = {**tiny_dataset(REGIONS), "channel_names": {"0": "CT"}}
    folder = write_folder(tmp_path / "net", tiny_plans(schemes=["CTNormalization"]), dataset, axes=None)
    raw = tmp_path / "raw" / "Dataset999_Tiny"
    case = write_case(raw, (9, 11, 10), labels=range(4))
    assert case.label is not None
    for part, path in (("imagesTr", case.images[0]), ("labelsTr", case.label)):
        (raw / part).mkdir()
        path.rename(raw / part / path.name)
    (raw / "dataset.json").write_text(json.dumps({**dataset, "numTraining": 1}))
    few = ["--attack", "pgd", "--attack-options", "attack.num_iterations=1", "--epsilon", "16/255", "--sanity", "none"]
    out = ["--data", str(raw), "--cases", case.case_id, "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main(["attack", str(folder), *few, *out, "--save-adversarial"]) == 0
    path = tmp_path / "out" / "adversarial" / f"pgd_{EPSILON:.5f}" / "made" / f"{case.case_id}.json"
    assert json.loads(path.read_text())["dice"] == lines(tmp_path / "out", "pgd")[case.case_id]["Dice"]


def test_a_changed_file_and_a_task_without_raw_files_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = write_raw_task(tmp_path, "ct")
    system, out = attack_and_save(tmp_path, raw, "ct", "--protocol", "patch")
    made = out / "adversarial" / f"pgd_{EPSILON:.5f}"
    assert "one window" in json.loads((made / "made" / "small_0.json").read_text())["notes"][0]
    again = ["attack", *system, "--attack", "pgd", "--attack-options", "attack.num_iterations=2", "--epsilon", "16/255"]
    again += ["--sanity", "none", "--cases", *CASE_IDS[:1], "--save-adversarial", "--protocol", "patch", "--out"]
    (made / TASK / "imagesTr" / "small_0.nii.gz").write_bytes(b"other")
    capsys.readouterr()
    assert main([*again, str(out)]) == 2
    assert "small_0.nii.gz: it is not the file that was written" in capsys.readouterr().err
    # A run that kept no volumes is told so before anything is attacked, by a run that keeps them and has more cases.
    without = [part for part in again if part != "--save-adversarial"]
    assert main([*without, str(tmp_path / "without")]) == 0
    kept = (tmp_path / "without" / "records.jsonl").read_bytes()
    (tmp_path / "without" / "records.jsonl").write_bytes(kept[: kept.rindex(b"\n", 0, -1) + 1])
    assert main([*again, str(tmp_path / "without")]) == 0  # nothing was attacked yet
    shutil.rmtree(tmp_path / "without" / "adversarial")
    capsys.readouterr()
    assert main([*again, str(tmp_path / "without")]) == 2
    told = capsys.readouterr()
    assert "small_0 is on record and its adversarial volume is no file here, as after a run without" in told.err
    assert "on 1 case of" not in told.out  # with which the work begins
    raw.rename(tmp_path / "elsewhere")
    assert main([*again, str(tmp_path / "second")]) == 2
    assert "name their folder with --data" in capsys.readouterr().err
