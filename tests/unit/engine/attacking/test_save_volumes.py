import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rogseg.engine import load_config
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.registry import MODELS
from rogseg.report import SavedVolume
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.task_plan import ChannelIntensity
from tests.tiny_task import tiny_plan, write_tiny_task
from tests.tiny_training import ROOT, write_tiny_config
from tools.attack import main as attack


def dice(labels: np.ndarray, target: np.ndarray, index: int) -> float | None:
    total = int((labels == index).sum() + (target == index).sum())
    return 2 * int(((labels == index) & (target == index)).sum()) / total if total else None


@pytest.mark.parametrize(("modality", "unit"), [("CT", "HU"), ("MR", "scanner units")])
def test_saved_volumes_are_those_that_the_records_measured(
    modality: str, unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tiny_plan()
    if modality == "MR":
        plan = dataclasses.replace(plan, channels=(ChannelIntensity("MR", True, 0.0, 1.0, 0.3, 0.2),))
    write_tiny_task(tmp_path / "task", plan=plan)
    config = load_config(write_tiny_config(tmp_path), {}, tmp_path / "task")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, tmp_path / "own.pth")
    out = tmp_path / "out"
    files = [str(tmp_path / "tiny.py"), str(tmp_path / "own.pth"), "--task", str(tmp_path / "task")]
    few = ["--attack-options", "attack.num_iterations=2", "--epsilon", "16/255", "--protocol", "patch"]
    named = ["--attack", str(ROOT / "configs/attack/pgd.py"), "--out", str(out)]
    told = "the viewer shows no volume of "
    assert attack([*files, *named, *few, "--sanity", "none", "--keep-volumes", "1"]) == 0
    first, *others = [path.name.partition("_pgd_")[0] for path in (out / "volumes").glob("*.npz")]
    assert not others
    assert told not in capsys.readouterr().out
    assert attack([*files, *named, *few, "--sanity", "none"]) == 0  # all is on record, and is not attacked again
    said = capsys.readouterr().out
    assert told in said
    assert first not in said.partition(told)[2].partition(":")[0]
    named[-1] = str(out := tmp_path / "both")
    assert attack([*files, *named, *few, "--sanity", "none"]) == 0
    assert told not in capsys.readouterr().out
    entries = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    attacked = {entry["case_id"]: entry for entry in entries if entry["condition"] == "pgd"}
    volumes = [SavedVolume.load(path) for path in sorted((out / "volumes").glob("*.npz"))]
    assert {volume.case_id for volume in volumes} == set(attacked)
    for volume in volumes:
        assert volume.unit == unit
        record = attacked[volume.case_id]
        (low,), (high,) = volume.lower, volume.upper
        assert low <= volume.image.min() + 1e-3
        assert volume.image.max() <= high + 1e-3
        largest = float(np.abs(volume.perturbation).max())
        assert largest == pytest.approx(record["distance_raw"][0], rel=1e-4)
        assert largest <= 16 / 255 * (high - low) * 1.0001
        for index, (before, after) in enumerate(
            zip(record["clean"]["Dice"], record["measures"]["Dice"], strict=True), 1
        ):
            assert dice(volume.clean, volume.target, index) == (before if before is None else pytest.approx(before))
            assert dice(volume.attacked, volume.target, index) == (after if after is None else pytest.approx(after))
    html = render_page(contents_of([out], tmp_path))
    assert f"{volumes[0].case_id}, pgd, 16/255" in html


@pytest.mark.parametrize(
    ("threat", "epsilon", "label"),
    [
        ({"type": "LinfThreat", "unit": "fraction"}, 8 / 255, "8/255"),
        ({"type": "LinfThreat", "unit": "raw"}, 10.0, "10 raw units"),
        ({"type": "L2Threat", "unit": "fraction"}, 8 / 255, "L2 RMS 8/255"),
    ],
)
def test_epsilon_is_labelled_by_its_unit_and_norm(threat: dict[str, str], epsilon: float, label: str) -> None:
    assert AttackSettings("pgd", {"type": "PGD"}, threat=threat).label_of(epsilon) == label
