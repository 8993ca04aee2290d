"""``rogseg corrupt`` from the command line to the page."""

import dataclasses
import json
from pathlib import Path

import pytest

from rogseg.commands import main
from rogseg.evaluation.record_folder import RecordFolder
from tests.unit.engine.corrupting import threshold_system  # noqa: F401
from tests.unit.engine.corrupting.threshold_system import write_mr_task


@pytest.fixture
def task(tmp_path: Path) -> Path:
    for threshold in (400, 350):
        (tmp_path / f"at_{threshold}.py").write_text(
            f"system = dict(type='ThresholdSystem', threshold={threshold}.0)\n"
        )
    return write_mr_task(tmp_path / "Task90_Phantom", 10)


def test_two_systems_side_by_side(task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = ["--corruption", "RicianNoise", "Gamma", "DoseNoise", "--severity", "1", "4"]
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    chosen = ["--data", str(task), *what, "--cases", "p_0", "p_1", "p_2", "--max-cases", "2"]
    assert main(["corrupt", str(tmp_path / "at_400.py"), *chosen, "--out", first]) == 0
    shown = capsys.readouterr().out
    assert "DoseNoise: not applicable, only CT has a dose" in shown
    assert "weighted (2/3)^severity" in shown
    assert "Worst: " in shown
    assert main(["corrupt", str(tmp_path / "at_350.py"), *chosen, "--out", second, "--baseline", first]) == 0
    assert "Error relative to threshold at 400: " in capsys.readouterr().out
    table = (tmp_path / "first" / "table.md").read_text()
    assert "SSIM / PSNR" in table
    assert "Not applicable: DoseNoise (only CT has a dose)." in table
    assert (tmp_path / "first" / "corruptions.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "first" / "examples.png").read_bytes()[:4] == b"\x89PNG"
    assert not (tmp_path / "first" / "sanity.json").exists()

    assert main(["report", first, second, "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "threshold at 350" in page
    assert "RicianNoise" in page
    assert (tmp_path / "report/figures/corruption_map.png").is_file()
    assert "DoseNoise" in page


def test_shards_are_merged_by_report_without_the_checks_of_attacks(task: Path, tmp_path: Path) -> None:
    call = ["corrupt", str(tmp_path / "at_400.py"), "--data", str(task), "--corruption", "Gamma", "--severity", "2"]
    for part in (1, 2):
        assert main([*call, "--cases", "p_0", "p_1", "--shard", f"{part}/2", "--out", str(tmp_path / str(part))]) == 0
    assert main(["report", str(tmp_path / "1"), str(tmp_path / "2"), "--out", str(tmp_path / "merged")]) == 0
    lines = (tmp_path / "merged" / "records.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert not (tmp_path / "merged" / "sanity.json").exists()


def test_calibrated_parameters_stand_in_the_header(task: Path, tmp_path: Path) -> None:
    call = ["corrupt", str(tmp_path / "at_400.py"), "--data", str(task), "--cases", "p_0", "--corruption", "Blur"]
    out = tmp_path / "out"
    assert main([*call, "--calibrate", "ssim=0.9", "--out", str(out)]) == 0
    config = json.loads((out / "header.json").read_text())["identity"]["condition"]["config"]
    assert config["calibration"]["SSIM"] == [0.9]
    assert list(config["corruptions"]["Blur"]["severities"]) == ["1"]
    assert main([*call, "--calibrate", "ssim=0.9", "--severity", "1", "--out", str(out)]) == 2
    assert main([*call, "--severity", "6", "--out", str(tmp_path / "other")]) == 2


def test_what_the_channels_do_not_say_is_said(task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unnamed.py").write_text("system = dict(type='ThresholdSystem', modality='image')\n")
    call = ["corrupt", str(tmp_path / "unnamed.py"), "--data", str(task), "--cases", "p_0", "--corruption", "BiasField"]
    call += ["--severity", "1", "--out", str(tmp_path / "out")]
    assert main(call) == 2
    assert "--modality says what they are" in capsys.readouterr().err
    assert main([*call, "--modality", "MR"]) == 0
    config = json.loads((tmp_path / "out" / "header.json").read_text())["identity"]["condition"]["config"]
    assert config["modalities"] == ["MR"]


@pytest.mark.check
def test_two_processes_write_the_records_of_one(task: Path, tmp_path: Path) -> None:
    # Named by the config itself, since a worker knows only what the config brings.
    imported = 'custom_imports = ["tests.unit.engine.corrupting.threshold_system"]\n'
    config = tmp_path / "imported.py"
    config.write_text(imported + "system = dict(type='ThresholdSystem', threshold=400.0)\n")
    call = ["corrupt", str(config), "--data", str(task), "--corruption", "Gamma", "Blur", "--severity", "2", "4"]
    call += ["--cases", "p_0", "p_1", "--device", "cpu"]
    assert main([*call, "--out", str(tmp_path / "one")]) == 0
    assert main([*call, "--out", str(tmp_path / "two"), "--num-workers", "2"]) == 0
    one, two = RecordFolder(tmp_path / "one"), RecordFolder(tmp_path / "two")
    assert len(one.records) == 2 * (1 + 2 * 2)
    assert [dataclasses.replace(record, seconds=0.0) for record in one.records] == [
        dataclasses.replace(record, seconds=0.0) for record in two.records
    ]
    assert one.identity == two.identity
