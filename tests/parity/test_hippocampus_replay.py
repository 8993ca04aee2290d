"""A real case: the file of an adversarial volume gives the Dice that the attack recorded, MR rescaling included."""

import json
from pathlib import Path

from rogseg.commands import main
from tests.shared_data import shared_path

CASE, NETWORK, TASK = "hippocampus_070", "rog_standard_hippocampus_light", "Task04_Hippocampus"


def dice_of(folder: Path, condition: str) -> list[float]:
    entries = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    (found,) = [entry for entry in entries if entry["condition"] == condition]
    dice: list[float] = found["measures"]["Dice"]
    return dice


def test_an_adversarial_file_does_what_the_attack_did(tmp_path: Path) -> None:
    data = shared_path(f"data/{TASK}")
    attack = ["attack", NETWORK, "--data", str(data), "--cases", CASE, "--attack", "fgsm", "--epsilon", "8/255"]
    assert main([*attack, "--sanity", "none", "--save-adversarial", "--out", str(tmp_path / "attack")]) == 0
    task = tmp_path / "attack" / "adversarial" / f"fgsm_{8 / 255:.5f}" / TASK
    assert main(["test", NETWORK, "--data", str(task), "--cases", CASE, "--out", str(tmp_path / "test")]) == 0
    recorded = dice_of(tmp_path / "attack", "fgsm")
    assert dice_of(tmp_path / "test", "clean") == recorded
    assert sum(recorded) < sum(dice_of(tmp_path / "attack", "clean"))
