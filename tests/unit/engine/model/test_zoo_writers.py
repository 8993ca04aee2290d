"""A zoo is whole whoever writes to it at once, and at whatever moment one of them is killed."""

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rogseg.engine.config.load import load_config
from rogseg.engine.model import zoo_entry
from rogseg.engine.model.model_zoo import zoo_model, zoo_models
from rogseg.engine.model.zoo_entry import add_to_zoo
from rogseg.models.checkpoints import checkpoint_lineage, lineage_path, read_checkpoint
from rogseg.models.lineage import Lineage
from rogseg.registry import MODELS
from rogseg.storage.folder_lock import LOCK_FILE
from tests.tiny_task import tiny_plan
from tests.tiny_training import write_tiny_config

LINEAGE = Lineage(tiny_plan().to_json(), ("a",), ("b",), ("c",), 0, 0, "digest").to_json()


class Killed(BaseException):
    """In place of a signal that nobody can catch."""


def add_killed_at(step: int, root: Path) -> bool:
    """Add new.pth, and let nothing in the zoo change its name after so many changes; whether it was killed so."""
    steps = itertools.count()

    def until_killed(call: Callable[..., None]) -> Callable[..., None]:
        def called(*paths: str | Path, **named: int) -> None:
            is_of_zoo = Path(paths[-1]).parent == root / "zoo" and Path(paths[-1]).name != LOCK_FILE
            if is_of_zoo and next(steps) >= step:
                raise Killed
            call(*paths, **named)

        return called

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", until_killed(os.replace))
        patch.setattr(os, "unlink", until_killed(os.unlink))
        try:
            add(root)
        except Killed:
            return True
    return False


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a zoo, a config, and the weights old.pth and new.pth."""
    folder = tmp_path / "root"
    (folder / "zoo").mkdir(parents=True)
    write_tiny_config(folder)
    (folder / "plan.json").write_text(json.dumps({"task": tiny_plan().to_json()}))
    (folder / "config.py").write_text('_base_ = ["./plan.json", "./tiny.py"]\n')
    for seed, name in enumerate(("old.pth", "new.pth")):
        torch.manual_seed(seed)
        torch.save({"state_dict": MODELS.build(load_config(folder / "config.py").model).state_dict()}, folder / name)
    return folder


def add(root: Path, name: str = "mine", checkpoint: str = "new.pth") -> Path:
    return add_to_zoo(name, root / "config.py", root / checkpoint, root / "zoo")


def is_of(weights: Path, checkpoint: Path) -> bool:
    kept, state = (read_checkpoint(path)["state_dict"] for path in (weights, checkpoint))
    return all(torch.equal(kept[name], value) for name, value in state.items())


@pytest.mark.parametrize("before", ["old", "none"])
def test_killed_between_any_two_steps_the_zoo_has_the_old_network_or_the_new_one(
    root: Path, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo_entry, "_try", lambda *_: None)
    if before == "old":
        lineage_path(add(root, checkpoint="old.pth")).write_text(json.dumps(LINEAGE))
    found = []
    for step in itertools.count():
        copy = shutil.copytree(root, root.with_name(f"killed_{step}"))
        if not add_killed_at(step, copy):
            break
        found.append(_network_of(copy))
    assert min(found.count(before), found.count("new")) >= 2
    assert found == [before] * found.count(before) + ["new"] * found.count("new")


def _network_of(killed: Path) -> str:
    """What a killed process left in the zoo; the next one then has its way, and nothing else stays."""
    found = "none"
    if zoo_models(killed / "zoo"):
        weights = zoo_model("mine", killed / "zoo").checkpoint
        found = "old" if is_of(weights, killed / "old.pth") else "new"
        assert is_of(weights, killed / f"{found}.pth")
        assert (checkpoint_lineage(weights) is not None) == (found == "old")
    add(killed)
    assert is_of(zoo_model("mine", killed / "zoo").checkpoint, killed / "new.pth")
    assert sorted(path.name for path in (killed / "zoo").iterdir()) == ["index.json", "mine.safetensors"]
    return found


def test_of_two_at_once_the_later_is_told_to_wait(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, tried = [], zoo_entry._try

    def try_while_another_starts(*arguments: object) -> None:
        monkeypatch.setattr(zoo_entry, "_try", tried)
        try:
            add(root, "other")
        except ValueError as error:
            said.append(str(error))

    monkeypatch.setattr(zoo_entry, "_try", try_while_another_starts)
    add(root)
    assert list(zoo_models(root / "zoo")) == ["mine"]
    assert len(said) == 1
    assert "in use by" in said[0]
    add(root, "other")
    assert list(zoo_models(root / "zoo")) == ["mine", "other"]


def test_the_file_of_another_network_is_not_written_over(root: Path) -> None:
    add(root, "mine.replaced", "old.pth")
    with pytest.raises(ValueError, match=r"mine\.replaced\.safetensors: is the file of mine\.replaced"):
        add(root)
    assert is_of(zoo_model("mine.replaced", root / "zoo").checkpoint, root / "old.pth")
