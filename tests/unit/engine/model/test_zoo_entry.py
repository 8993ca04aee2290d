from pathlib import Path

import pytest
import torch

from rogseg.engine.model.model_zoo import zoo_model
from rogseg.models.checkpoints import read_checkpoint
from tools.zoo import main as zoo


def test_a_network_that_is_added_is_found_whole_and_replaced_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "config.py").write_text("")
    arguments = ["--zoo", str(tmp_path / "zoo"), "--out", str(tmp_path / "page.md"), "--add", "mine"]
    for value in (1.0, 2.0):
        torch.save({"state_dict": {"weight": torch.full((2, 3), value).t()}}, tmp_path / "best.pth")
        assert zoo([*arguments, str(tmp_path / "config.py"), str(tmp_path / "best.pth")]) == 0
        entry = zoo_model("mine", tmp_path / "zoo")
        assert entry.config == tmp_path / "config.py"
        assert torch.equal(read_checkpoint(entry.checkpoint)["state_dict"]["weight"], torch.full((3, 2), value))
    assert "[mine](model_zoo/mine.safetensors)" in (tmp_path / "page.md").read_text()


def test_a_config_outside_of_the_repository_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "repository" / "zoo").mkdir(parents=True)
    (tmp_path / "config.py").write_text("")
    zoo_directory = str(tmp_path / "repository" / "zoo")
    assert zoo(["--zoo", zoo_directory, "--add", "mine", str(tmp_path / "config.py"), "best.pth"]) == 2
    assert "put it there first" in capsys.readouterr().err
