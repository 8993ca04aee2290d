import json
from pathlib import Path

import pytest
import torch

from rogseg.engine.config.load import load_config
from rogseg.engine.model.api import load_model
from rogseg.engine.model.model_zoo import zoo_model
from rogseg.models.checkpoints import read_checkpoint
from rogseg.registry import MODELS
from tests.tiny_task import tiny_plan
from tests.tiny_training import write_tiny_config
from tools.zoo import main as zoo


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with its plan, in a folder that holds a zoo."""
    (tmp_path / "zoo").mkdir()
    write_tiny_config(tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps({"task": tiny_plan().to_json()}))
    path = tmp_path / "config.py"
    path.write_text('_base_ = ["./plan.json", "./tiny.py"]\n')
    return path


def weights(config: Path, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = MODELS.build(load_config(config).model)
    torch.save({"state_dict": network.state_dict()}, config.with_name("best.pth"))
    state: dict[str, torch.Tensor] = network.state_dict()
    return state


def add(config: Path, *more: str) -> int:
    folder = config.parent
    arguments = ["--zoo", str(folder / "zoo"), "--out", str(folder / "page.md"), "--add", "mine"]
    return zoo([*arguments, str(config), str(folder / "best.pth"), *more])


def test_a_network_that_is_added_is_found_whole_and_replaced_by_the_next(config: Path) -> None:
    for seed in (0, 1):
        state = weights(config, seed)
        assert add(config) == 0
        entry = zoo_model("mine", config.parent / "zoo")
        assert entry.config == config
        kept = read_checkpoint(entry.checkpoint)["state_dict"]
        assert all(torch.equal(kept[name], value) for name, value in state.items())
    assert "[mine.safetensors](model_zoo/mine.safetensors)" in (config.parent / "page.md").read_text()


def test_half_is_half_the_size_and_the_network_computes_in_float32(config: Path) -> None:
    state, file = weights(config, 0), config.parent / "zoo" / "mine.safetensors"
    add(config)
    whole = file.stat().st_size
    assert add(config, "--half") == 0
    assert file.stat().st_size < 0.7 * whole
    network = load_model(config, file, device="cpu").networks[0]
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    assert all(torch.equal(value, state[name].half().float()) for name, value in network.state_dict().items())


def test_half_without_a_network_to_add_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zoo(["--zoo", str(tmp_path), "--out", str(tmp_path / "page.md"), "--half"]) == 2
    assert "--half says how --add stores weights" in capsys.readouterr().err


def test_what_does_not_run_is_not_added(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = weights(config, 0)
    name = next(iter(state))
    torch.save({"state_dict": {**state, name: state[name][:1]}}, config.with_name("best.pth"))
    assert add(config) == 2
    assert "weights of another network" in capsys.readouterr().err
    # Finite weights whose outputs are not.
    torch.save({"state_dict": {key: value * 0 + 3e38 for key, value in state.items()}}, config.with_name("best.pth"))
    assert add(config) == 2
    assert "nothing was added" in capsys.readouterr().err
    assert list((config.parent / "zoo").iterdir()) == []


def test_a_config_outside_of_the_repository_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "repository" / "zoo").mkdir(parents=True)
    (tmp_path / "config.py").write_text("")
    zoo_directory = str(tmp_path / "repository" / "zoo")
    assert zoo(["--zoo", zoo_directory, "--add", "mine", str(tmp_path / "config.py"), "best.pth"]) == 2


def test_what_every_training_calls_its_checkpoint_names_no_network(config: Path) -> None:
    weights(config, 0)
    assert load_model(config, config.with_name("best.pth"), device="cpu").identity.name == "config"
    config.with_name("best.pth").rename(config.with_name("mine.pth"))
    assert load_model(config, config.with_name("mine.pth"), device="cpu").identity.name == "mine"
