from pathlib import Path
from typing import get_args

import pytest

from rogseg.engine.config.load import load_config
from rogseg.shipped_configs import Kind, find_config, shipped_configs
from tests.tiny_training import ROOT


def test_a_name_and_a_path_find_the_same_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    path = ROOT / "configs" / "rog" / "rog_freeat_liver.py"
    assert find_config("rog_freeat_liver", "network").samefile(path)
    assert find_config(path) == path
    assert load_config("rog_freeat_liver").to_dict() == load_config(path).to_dict()


def test_a_file_in_the_folder_wins_over_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pgd").write_text("attack = None")
    assert find_config("pgd") == Path("pgd")


def test_every_name_is_one_file() -> None:
    files = [path for path in (ROOT / "configs").glob("*/*.py") if not path.parent.name.startswith("_")]
    assert len(files) == len(shipped_configs())
    kinds = [set(shipped_configs(kind)) for kind in get_args(Kind)]
    assert set.union(*kinds) == set(shipped_configs())
    assert shipped_configs("attack").keys() == {path.stem for path in (ROOT / "configs" / "attack").glob("*.py")}


@pytest.mark.parametrize("name", ["rog_freeat_livre", "configs/rog/rog_freeat_livre.py", "nowhere/rog_freeat_livr.py"])
def test_what_is_not_there_is_answered_with_the_nearest_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no such network config.*did you mean 'rog_freeat_liver'"):
        find_config(name, "network")
