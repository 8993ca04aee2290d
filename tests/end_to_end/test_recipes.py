"""The recipes of ARCHITECTURE.md, each pasted into an empty folder outside of the project and run as it stands."""

import dataclasses
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import Registry

from rogseg import registry
from rogseg.commands import main
from rogseg.engine.config.load import load_config
from rogseg.models.checkpoints import read_checkpoint
from rogseg.registry import MODELS
from tests.tiny_task import write_tiny_task
from tests.tiny_training import ROOT

# What makes a training and an attack short: put between the command and what the recipe says, or behind it.
SMALL = ["model.backbone.channels=8", "model.head.channels=8"]
SHORT_TRAINING = ["train_data.num_workers=0", "train_cfg.iterations_per_epoch=1", "train_cfg.max_epochs=1"]
SHORT_TRAINING += ["validation.max_volumes=1", "validation.max_patches=1", "selection_fraction=0.25"]
SHORT_ATTACK = ["--cfg-options", *SMALL, "--max-cases", "1", "--protocol", "patch", "--sanity", "none"]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Files by name, and a command."""

    files: dict[str, str]
    command: list[str]


def recipes() -> dict[str, Recipe]:
    """By title."""
    page = (ROOT / "ARCHITECTURE.md").read_text()
    page = page[page.index("## Recipes") :]
    found = {}
    for title, text in re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", page, flags=re.DOTALL | re.MULTILINE):
        files = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", text, flags=re.DOTALL))
        (command,) = re.findall(r"```sh\nrogseg (.*?)```", text, flags=re.DOTALL)
        found[title] = Recipe(files, shlex.split(command))
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder but for a stored task and a checkpoint; what a recipe registers is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write_tiny_task(tmp_path / "data" / "stored" / "MyTask")
    config = load_config("rog_standard_short", SMALL, "data/stored/MyTask")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, "best.pth")
    registries = [value for value in vars(registry).values() if isinstance(value, Registry)]
    before = [dict(one.module_dict) for one in registries]
    modules = set(sys.modules)
    yield tmp_path
    for one, content in zip(registries, before, strict=True):
        one.module_dict.clear()
        one.module_dict.update(content)
    for name in set(sys.modules) - modules:
        if (tmp_path / f"{name}.py").is_file():
            del sys.modules[name]


def run(folder: Path, title: str) -> None:
    recipe = recipes()[title]
    for name, text in recipe.files.items():
        (folder / name).write_text(text)
    first, *rest = recipe.command
    if first == "attack":
        command = [first, *SHORT_ATTACK, *rest]
    else:
        small = [] if title == "A backbone" else SMALL
        command = [first, *rest, *([] if "--cfg-options" in rest else ["--cfg-options"]), *SHORT_TRAINING, *small]
    assert main(command) == 0


def epoch(folder: Path) -> dict[str, float]:
    """What a training of one epoch has recorded."""
    (path,) = (folder / "work_dirs").rglob("history.jsonl")
    (record,) = (json.loads(line) for line in path.read_text().splitlines())
    assert isinstance(record, dict)
    return record


def attacked(folder: Path) -> tuple[dict[str, Any], str]:
    """The record of the only attacked case, and what the records are of."""
    (path,) = (folder / "work_dirs").rglob("records.jsonl")
    (record,) = (row for row in map(json.loads, path.read_text().splitlines()) if "clean" not in row.values())
    return record, path.with_name("header.json").read_text()


def test_there_is_a_recipe_for_each_kind_and_it_is_short() -> None:
    kinds = ["attack", "objective", "backbone", "loss", "trainer", "measure", "transform", "corruption"]
    assert [title.split()[1] for title in recipes()] == kinds
    for title, recipe in recipes().items():
        component = next(iter(recipe.files.values()))
        lines = [line for line in component.splitlines() if line and not line.startswith(("import", "from", "@"))]
        assert len(lines) <= 14, title


def test_an_attack(folder: Path) -> None:
    run(folder, "An attack")
    record, header = attacked(folder)
    assert record["num_backward"] == 10
    assert "MomentumFGSM" in header


def test_an_objective(folder: Path) -> None:
    run(folder, "An objective")
    assert "Focal" in attacked(folder)[1]


def test_a_backbone(folder: Path) -> None:
    run(folder, "A backbone")
    (path,) = folder.rglob("last.pth")
    assert any("residual" in key or "conv" in key for key in read_checkpoint(path)["state_dict"])
    assert epoch(folder)["loss_dice"] > 0


def test_a_loss(folder: Path) -> None:
    run(folder, "A loss")
    assert 0 < epoch(folder)["loss_tversky"] < 1


def test_a_trainer(folder: Path) -> None:
    run(folder, "A trainer")
    assert epoch(folder)["delta_over_epsilon"] > 0


def test_a_measure(folder: Path) -> None:
    run(folder, "A measure")
    record, _ = attacked(folder)
    assert set(record["measures"]) == {"Dice", "precision"}


def test_a_transform(folder: Path) -> None:
    run(folder, "A transform")
    (path,) = folder.rglob("last.pth")
    assert "RicianNoise" in read_checkpoint(path)["meta"]["cfg"]


def test_a_corruption(folder: Path) -> None:
    run(folder, "A corruption")
    (path,) = folder.rglob("last.pth")
    assert "Drift" in read_checkpoint(path)["meta"]["cfg"]
