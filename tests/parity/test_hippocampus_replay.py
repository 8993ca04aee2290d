"""A real case: the file of an adversarial volume gives the Dice that the attack recorded, MR rescaling included."""

import json
from pathlib import Path

import torch

from rogseg.commands import main
from rogseg.engine.config.load import load_config
from rogseg.preprocessing import find_shipped_plan
from rogseg.registry import MODELS
from rogseg.storage import Fold, write_folds, write_plan
from tests.shared_data import shared_path
from tests.tiny_training import ROOT, write_tiny_config

CASE, TASK = "hippocampus_070", "Task04_Hippocampus"


def dice_of(folder: Path, condition: str) -> list[float]:
    entries = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    (found,) = [entry for entry in entries if entry["condition"] == condition]
    dice: list[float] = found["measures"]["Dice"]
    return dice


def test_an_adversarial_file_does_what_the_attack_did(tmp_path: Path) -> None:
    data = shared_path(f"data/{TASK}")
    plan = find_shipped_plan(TASK, ROOT / "configs/_base_/tasks")
    assert plan is not None
    write_plan(tmp_path / "task", plan)
    write_folds(tmp_path / "task", [Fold((CASE,), ())])
    config = write_tiny_config(tmp_path)
    torch.manual_seed(0)
    network = MODELS.build(load_config(config, {}, tmp_path / "task").model)
    torch.save({"state_dict": network.state_dict()}, tmp_path / "own.pth")
    system = [str(config), str(tmp_path / "own.pth"), "--task", str(tmp_path / "task"), "--cases", CASE]
    attack = ["attack", *system, "--data", str(data), "--attack", "fgsm", "--epsilon", "32/255", "--save-adversarial"]
    assert main([*attack, "--sanity", "none", "--out", str(tmp_path / "attack")]) == 0
    task = tmp_path / "attack" / "adversarial" / f"fgsm_{32 / 255:.5f}" / TASK
    assert main(["test", *system, "--data", str(task), "--out", str(tmp_path / "test")]) == 0
    recorded = dice_of(tmp_path / "attack", "fgsm")
    assert dice_of(tmp_path / "test", "clean") == recorded
    assert sum(recorded) != sum(dice_of(tmp_path / "attack", "clean"))
