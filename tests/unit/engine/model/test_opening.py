"""One network, by whatever name and through whatever door it is opened, is one system."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rogseg.engine.model import model_zoo
from rogseg.engine.model.api import load_model, load_zoo_model
from rogseg.engine.model.open_system import open_system
from rogseg.models.checkpoints import write_checkpoint
from rogseg.models.lineage import Lineage
from rogseg.registry import MODELS
from rogseg.systems import System
from tests.tiny_task import tiny_plan, write_tiny_task
from tests.tiny_training import tiny_config, write_tiny_config
from tools.zoo import main as zoo

PLAN = tiny_plan()

# From the folder of a config without a plan, best.pth and a zoo that has the same network as "mine".
WAYS: dict[str, Callable[[Path], System]] = {
    "load_model": lambda folder: load_model(folder / "tiny.py", folder / "best.pth", device="cpu"),
    "open_system, by two words": lambda folder: (
        open_system([folder / "tiny.py", folder / "best.pth"], device="cpu").system
    ),
    "load_model, of the zoo's file": lambda folder: load_model(
        folder / "tiny.py", folder / "zoo" / "mine.safetensors", device="cpu"
    ),
    "load_zoo_model": lambda folder: load_zoo_model("mine", device="cpu"),
    "open_system, by a name of the zoo": lambda folder: open_system(["mine"], device="cpu").system,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, tmp_path / "task", tmp_path / "work")
    lineage = Lineage(PLAN.to_json(), ("case_00",), ("case_01",), ("case_08",), 0, 0, "digest")
    torch.manual_seed(0)
    state = MODELS.build(config.model).state_dict()
    write_checkpoint(tmp_path / "best.pth", {"state_dict": state, "meta": {"lineage": lineage.to_json()}})
    monkeypatch.setattr(model_zoo, "ZOO_DIRECTORY", tmp_path / "zoo")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def add(folder: Path, checkpoint: str = "best.pth") -> int:
    arguments = ["--zoo", str(folder / "zoo"), "--out", str(folder / "page.md"), "--add", "mine"]
    return zoo([*arguments, str(folder / "tiny.py"), str(folder / checkpoint)])


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_plan_of_the_training(folder: Path, way: str) -> None:
    assert add(folder) == 0
    system = WAYS[way](folder)
    assert system.plan == PLAN
    volume = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = WAYS["open_system, by two words"](folder)
    torch.testing.assert_close(system.logits(volume), expected.logits(volume), rtol=0, atol=0)


def test_without_a_plan_in_the_config_or_the_weights_nothing_is_opened(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_config(folder)
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, folder / "best.pth")
    with pytest.raises(ValueError, match=r"has no task: pass --task \(in Python task_dir\)"):
        load_model(folder / "tiny.py", folder / "best.pth")
    assert add(folder) == 2
    assert "as a zoo model, which is named alone" in capsys.readouterr().err
