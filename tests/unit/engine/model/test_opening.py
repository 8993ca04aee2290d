"""One network, by whatever name and through whatever door it is opened, is one system."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rogseg.engine.model import model_zoo
from rogseg.engine.model.api import load_model, load_zoo_model
from rogseg.engine.model.open_system import open_system
from rogseg.engine.model.recorded_plan import RECORDED_PLAN, plan_path
from rogseg.inference import with_postprocessing
from rogseg.models.checkpoints import read_checkpoint, write_checkpoint
from rogseg.models.lineage import Lineage
from rogseg.models.weight_files import safetensors_bytes
from rogseg.registry import MODELS
from rogseg.systems import RogsegSystem, System
from rogseg.task_plan import TaskPlan
from tests.tiny_task import tiny_plan, write_tiny_task
from tests.tiny_training import tiny_config, write_tiny_config
from tools.zoo import main as zoo

PLAN = tiny_plan()
CHOSEN = with_postprocessing(PLAN, (2,))

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


def choose(checkpoint: Path, plan: TaskPlan) -> None:
    plan_path(checkpoint).write_text(json.dumps({"task": plan.to_json()}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chosen", [PLAN, CHOSEN], ids=["no choice", "a choice"])
def test_every_way_gives_the_plan_of_the_training_and_the_choice_of_post_processing(
    folder: Path, way: str, chosen: TaskPlan
) -> None:
    if chosen != PLAN:
        choose(folder / "best.pth", chosen)
    assert add(folder) == 0
    system = WAYS[way](folder)
    assert isinstance(system, RogsegSystem)
    assert system.plan == chosen
    volume = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = WAYS["open_system, by two words"](folder)
    torch.testing.assert_close(system.logits(volume), expected.logits(volume), rtol=0, atol=0)


def test_a_zoo_file_keeps_its_choice_wherever_it_goes_and_a_later_one_beside_it_counts(folder: Path) -> None:
    choose(folder / "best.pth", CHOSEN)
    assert add(folder) == 0
    copy = folder / "elsewhere.safetensors"
    copy.write_bytes((folder / "zoo" / "mine.safetensors").read_bytes())
    assert load_model(folder / "tiny.py", copy, device="cpu").plan == CHOSEN
    choose(copy, PLAN)
    assert load_model(folder / "tiny.py", copy, device="cpu").plan == PLAN
    plan_path(copy).unlink()
    assert add(folder, copy.name) == 0
    assert load_zoo_model("mine", device="cpu").plan == CHOSEN


def test_a_network_in_place_of_another_takes_nothing_over_from_it(folder: Path) -> None:
    assert add(folder) == 0
    choose(folder / "zoo" / "mine.safetensors", CHOSEN)
    assert load_zoo_model("mine", device="cpu").plan == CHOSEN
    assert add(folder) == 0
    assert load_zoo_model("mine", device="cpu").plan == PLAN


def test_a_choice_of_another_task_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choose(folder / "best.pth", tiny_plan(crop_size=(24, 16, 16)))
    assert add(folder) == 2
    assert "differs from the config's plan in more than post-processing" in capsys.readouterr().err


def test_what_a_file_says_of_its_choice_is_data(folder: Path) -> None:
    copy = folder / "copy.safetensors"
    state = read_checkpoint(folder / "best.pth")["state_dict"]
    for said, message in ((5, "the plan in it is none"), (tiny_plan((24, 16, 16)).to_json(), "the plan in it differs")):
        copy.write_bytes(safetensors_bytes(state, {"task": PLAN.to_json(), RECORDED_PLAN: said}))
        with pytest.raises(ValueError, match=rf"copy\.safetensors: .*{message}"):
            load_model(folder / "tiny.py", copy, device="cpu")


def test_without_a_plan_in_the_config_or_the_weights_nothing_is_opened(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_config(folder)
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, folder / "best.pth")
    with pytest.raises(ValueError, match=r"has no task: pass --task \(in Python task_dir\)"):
        load_model(folder / "tiny.py", folder / "best.pth")
    assert add(folder) == 2
    assert "as a zoo model, which is named alone" in capsys.readouterr().err
