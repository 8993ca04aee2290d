import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.attacks import LinfThreat, ThreatModel
from rogseg.cases import Case
from rogseg.commands import main
from rogseg.engine import load_config
from rogseg.evaluation.case_record import CaseRecord
from rogseg.preprocessing import preprocess_task
from rogseg.registry import MODELS
from rogseg.report.legacy.rows import read_legacy_rows
from tests.raw_tasks import CASE_IDS, TASK, raw_plan, store_with_networks, write_raw_task
from tests.tiny_task import write_tiny_task
from tests.tiny_training import ROOT, write_tiny_config
from tools.attack import main as attack
from tools.report import main as report

ATTACKS = ROOT / "configs/attack"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored task, a config and a network with random weights."""
    directory = tmp_path_factory.mktemp("made")
    write_tiny_task(directory / "task")
    config = load_config(write_tiny_config(directory), {}, directory / "task")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, directory / "own.pth")
    return directory


def arguments(made: Path, out: Path, name: str, *more: str) -> list[str]:
    files = [str(made / "tiny.py"), str(made / "own.pth"), "--task", str(made / "task")]
    return [*files, "--attack", str(ATTACKS / f"{name}.py"), "--out", str(out), "--protocol", "patch", *more]


def findings(directory: Path) -> dict[str, bool]:
    return {entry["name"]: entry["level"] == "ok" for entry in json.loads((directory / "sanity.json").read_text())}


def records(directory: Path) -> list[dict[str, object]]:
    entries = [json.loads(line) for line in (directory / "records.jsonl").read_text().splitlines()]
    rows = [{key: value for key, value in entry.items() if key not in ("seconds", "crc")} for entry in entries]
    return sorted(rows, key=lambda row: (str(row["case_id"]), str(row["condition"]), str(row["strength"])))


def volumes(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "volumes").iterdir())


def test_shards_merge_to_the_whole_and_every_check_is_reported(made: Path, tmp_path: Path) -> None:
    few = ("--attack-options", "attack.num_iterations=20", "--epsilon", "8/255", "64/255")
    assert attack(arguments(made, tmp_path / "whole", "apgd_ce", *few)) == 0
    for shard in ("1/2", "2/2"):
        out = tmp_path / f"part{shard[0]}"
        assert attack(arguments(made, out, "apgd_ce", *few, "--shard", shard)) == 0
    assert report([str(tmp_path / "part1"), str(tmp_path / "part2"), "--out", str(tmp_path / "merged")]) == 0
    assert records(tmp_path / "merged") == records(tmp_path / "whole")
    assert volumes(tmp_path / "merged") == volumes(tmp_path / "whole")
    assert len(volumes(tmp_path / "merged")) == 2 * 2
    assert len(records(tmp_path / "whole")) == 2 * 3  # two cases, clean and two epsilons
    found = findings(tmp_path / "whole")
    assert set(found) >= {
        "the model is deterministic",
        "gradients reach the inputs",
        "a small step keeps the gradient's promise",
        "apgd_ce: more epsilon is not weaker",
    }
    assert found["the model is deterministic"]
    seen = {entry["name"]: entry["seen"] for entry in json.loads((tmp_path / "whole" / "sanity.json").read_text())}
    assert " at 8/255, " in seen["apgd_ce: more epsilon is not weaker"]
    assert (tmp_path / "whole" / "table.md").read_text().startswith("Task99_Tiny, attack apgd_ce, protocol patch")
    # Of what one shard saw fail and another found odd, the failure stays; what a killed process left is no volume.
    for part, level in (("part1", "failed"), ("part2", "warning")):
        entry = {"name": "gradients reach the inputs", "level": level, "seen": part, "meaning": "m"}
        (tmp_path / part / "sanity.json").write_text(json.dumps([entry]))
        (tmp_path / part / "volumes" / ".rogseg-partial-x.npz-abc").write_bytes(b"half")
    assert report([str(tmp_path / "part1"), str(tmp_path / "part2"), "--out", str(tmp_path / "again")]) == 0
    levels = {e["name"]: e["level"] for e in json.loads((tmp_path / "again" / "sanity.json").read_text())}
    assert levels["gradients reach the inputs"] == "failed"


def test_one_folder_is_one_sweep(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--attack-options", "attack.num_iterations=1", "--sanity", "none", "--max-cases", "1")
    for out, epsilon in (("a", "2/255"), ("b", "4/255")):
        assert attack(arguments(made, tmp_path / out, "apgd_ce", *few, "--epsilon", epsilon)) == 0
    assert attack(arguments(made, tmp_path / "a", "apgd_ce", *few, "--epsilon", "4/255")) == 2
    assert "holds records at 2/255; what one epsilon finds counts at the next larger" in capsys.readouterr().err
    assert report([str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "both")]) == 0
    assert (tmp_path / "both" / "report.html").is_file()


def test_a_lesion_that_vanishes_is_judged_by_its_own_criterion(made: Path, tmp_path: Path) -> None:
    few = ("--attack-options", "attack.num_iterations=2", "criterion.share=0.999999", "--max-cases", "1")
    assert attack(arguments(made, tmp_path, "remove_class", *few)) == 0
    assert "ClassVanished (target_class -1, share 0.999999)" in (tmp_path / "table.md").read_text()
    (attacked,) = [row for row in records(tmp_path) if row["condition"] == "remove_class"]
    assert isinstance(attacked["success"], bool)
    (clean,) = [row for row in records(tmp_path) if row["condition"] == "clean"]
    assert clean["success"] is None


@pytest.mark.parametrize("more", [[], ["--surrogate", "second.pth"]])
def test_who_names_a_reference_box_gets_a_fraction_of_it(more: list[str], tmp_path: Path) -> None:
    raw = write_raw_task(tmp_path, "ct")
    config = store_with_networks(tmp_path, raw, "ct", ("own", "second"))
    plan = raw_plan("ct")
    narrow = dataclasses.replace(plan, channels=(dataclasses.replace(plan.channels[0], lower=-40.0),))
    preprocess_task(raw, tmp_path / "narrow", plan=narrow)
    system = [str(config), str(tmp_path / "own.pth"), "--task", str(tmp_path / "stored" / TASK)]
    few = ["--attack", "fgsm", "--epsilon", "16/255", "--sanity", "none", "--cases", CASE_IDS[0], "--data", str(raw)]
    given = [str(tmp_path / word) if word.endswith(".pth") else word for word in more]
    out = ["--reference", str(tmp_path / "narrow"), "--out", str(tmp_path / "out")]
    assert main(["attack", *system, *few, *given, *out]) == 0
    (attacked,) = [row for row in records(tmp_path / "out") if row["condition"] == "fgsm"]
    assert attacked["distance_raw"] == pytest.approx([16 / 255 * 240], rel=1e-3)  # the network's own box is 300 wide


def test_mistakes_are_told_in_one_line(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert attack(arguments(made, tmp_path, "apgd_ce", "--epsilon", "eight")) == 2
    assert "8/255" in capsys.readouterr().err
    assert attack(arguments(made, tmp_path, "apgd_ce", "--attack-options", "criterion.type=DiceBellow")) == 2
    assert "did you mean 'DiceBelow'" in capsys.readouterr().err
    others = ["--attack-options", "measures=[dict(type='VolumeError')]"]
    assert attack(arguments(made, tmp_path / "none", "fgsm", *others)) == 2
    assert "measures of fgsm are volume error: Dice must be among them" in capsys.readouterr().err
    assert attack(arguments(made, tmp_path, "fgsm", "--epsilon", "8", "--reference", str(made / "task"))) == 2
    assert "fractions of the width of the intensity box, so at most 1" in capsys.readouterr().err


def test_a_threat_of_its_own_and_limits_are_in_the_records_and_the_network_is_checked_all_the_same(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[tuple[ThreatModel, float]] = []

    def run_checks(_: Any, cases: Sequence[Case], make_threat: Any, epsilon: float, *_more: Any, **_named: Any) -> Any:
        looked_at.append((make_threat(epsilon, cases[0]), epsilon))
        return ()

    monkeypatch.setattr("rogseg.engine.attacking.sanity.run_checks", run_checks)
    assert attack(arguments(made, tmp_path, "vafa", "--max-cases", "1", "--max-passes", "12")) == 0
    ((searched, epsilon),) = looked_at
    assert isinstance(searched, LinfThreat)
    assert epsilon == 8 / 255
    (attacked,) = [row for row in records(tmp_path) if row["condition"] == "vafa"]
    assert attacked["stopped"]
    assert isinstance(attacked["visibility"], dict)
    header = json.loads((tmp_path / "header.json").read_text())["identity"]
    assert header["condition"]["config"]["max_passes"] == 12
    assert header["threat"]["type"] == "QuantisationThreat"
    table = (tmp_path / "table.md").read_text()
    assert "Quantisation 20/255" in table
    assert "the limit of 12 passes ended the search in 1 of 1 cases" in table
    assert attack(arguments(made, tmp_path / "aa", "autoattack", "--max-cases", "1", "--max-passes", "12")) == 0
    assert "APGD-DLR in 1, FAB-T in 1, Square in 1." in (tmp_path / "aa" / "table.md").read_text()
    assert attack(arguments(made, tmp_path / "none", "pgd", "--max-minutes", "0")) == 2
    assert "--max-minutes is 0" in capsys.readouterr().err


@pytest.mark.check
def test_the_released_row_is_the_released_evaluation(made: Path, tmp_path: Path) -> None:
    """Put together from other runs, and equal to the config with all its faults."""
    files = [str(made / "tiny.py"), str(made / "own.pth"), "--task", str(made / "task")]
    assert main(["legacy", *files, "--out", str(tmp_path), "--num-queries", "20", "--max-cases", "1"]) == 0
    assert attack(arguments(made, tmp_path / "direct", "legacy_rog", "--max-cases", "1", "--sanity", "none")) == 0
    rows = read_legacy_rows(tmp_path)
    direct = [row for row in records(tmp_path / "direct") if str(row["condition"]).startswith("legacy")]
    lowest = min(CaseRecord.from_line(json.dumps(row)).mean_dice or 0.0 for row in direct)
    assert list(rows[-1].dice.values()) == [pytest.approx(lowest, abs=1e-9)]
    assert list(rows[-1].fell.values()) == [any(row["success"] for row in direct)]
    assert rows[0].furthest <= 8 / 255 + 1e-6 < rows[-1].furthest
    assert {path.suffix for path in tmp_path.glob("legacy.*")} == {".md", ".csv", ".tex", ".png", ".svg"}
