"""JSON configs are data, Python configs are code, and only what is registered is built from either."""

import json
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import Registry as MMEngineRegistry

from rogseg.attacks import PGD
from rogseg.engine.config.load import load_attack_config, load_config
from rogseg.engine.config.overrides import parse_overrides
from rogseg.engine.config.read import read_config
from rogseg.registry import ATTACKS, HOOKS
from tests.faults.config_faults import CODE, OWNED, STRANGERS
from tests.faults.fault import Fault, outcome

CONFIGS = Path(__file__).resolve().parents[4] / "configs"
HIPPOCAMPUS = CONFIGS / "rog" / "rog_standard_hippocampus.py"


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in STRANGERS])
def test_nothing_of_a_strangers_config_runs(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)  # so that `evil` could be imported
    outcome(fault, folder)
    assert not list(tmp_path.rglob(OWNED))
    assert "evil" not in sys.modules


def test_mmengine_itself_would_have_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text(CODE)
    (tmp_path / "stranger.json").write_text('{"_base_": "evil.py"}')
    Config.fromfile(str(tmp_path / "stranger.json"))
    assert (tmp_path / OWNED).is_file()
    assert MMEngineRegistry("control", scope="control").get("subprocess.Popen") is not None
    assert HOOKS.get("subprocess.Popen") is None


def test_a_json_config_builds_on_json_of_its_tree(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "top").mkdir()
    base = {"attack": {"type": "PGD", "objective": {"type": "Margin"}, "num_iterations": 3}}
    (tmp_path / "base" / "pgd.json").write_text(json.dumps(base))
    threat = {"threat": {"type": "L2Threat", "unit": "fraction"}, "epsilons": [0.002]}
    (tmp_path / "base" / "l2.json").write_text(json.dumps(threat))
    top = {"_base_": ["../base/pgd.json", "../base/l2.json"], "attack": {"num_iterations": 7}}
    (tmp_path / "top" / "mine.json").write_text(json.dumps(top))
    config = load_attack_config(tmp_path / "top" / "mine.json")
    assert config.attack.to_dict() == {**base["attack"], "num_iterations": 7}
    assert config.epsilons == [0.002]
    top["_base_"] = ["../base/pgd.json", "../base/pgd.json"]
    (tmp_path / "top" / "mine.json").write_text(json.dumps(top))
    with pytest.raises(ValueError, match=r"two files of _base_ have the same key \(attack\)"):
        load_attack_config(tmp_path / "top" / "mine.json")


def test_a_json_config_is_what_the_same_python_config_is(tmp_path: Path) -> None:
    python = load_config(HIPPOCAMPUS)
    content = Config.fromfile(str(HIPPOCAMPUS)).to_dict()
    content.pop("custom_imports", None)
    (tmp_path / "same.json").write_text(json.dumps(content))
    assert json.dumps(load_config(tmp_path / "same.json").to_dict()) == json.dumps(python.to_dict())


def test_a_package_of_ones_own_registers_components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_attacks.py").write_text(
        "from rogseg.attacks import PGD\n"
        "from rogseg.registry import ATTACKS\n"
        "@ATTACKS.register_module()\n"
        "class ShortPGD(PGD):\n"
        "    pass\n"
    )
    (tmp_path / "mine.py").write_text(
        "custom_imports = ['my_attacks']\n"
        "attack = dict(type='ShortPGD', objective=dict(type='Margin'), num_iterations=2)\n"
    )
    config = load_attack_config(tmp_path / "mine.py")
    assert isinstance(ATTACKS.build(config.attack), PGD)
    with pytest.raises(ValueError, match=r"attack\.num_iteration is no argument of ShortPGD"):
        load_attack_config(tmp_path / "mine.py", ["attack.num_iteration=3"])


def test_a_class_is_a_type_in_a_python_config(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        f"from rogseg.attacks import PGD\n_base_ = '{CONFIGS}/_base_/attacks/linf.py'\n"
        "attack = dict(type=PGD, objective=dict(type='Margin'), num_iterations=2)\n"
    )
    config = load_attack_config(path)
    assert isinstance(ATTACKS.build(config.attack), PGD)
    assert "PGD" not in read_config(path)
    with pytest.raises(ValueError, match=r"attack\.num_iterations is 0"):
        load_attack_config(path, ["attack.num_iterations=0"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8/255", 8 / 255),
        ("-1e-3", -1e-3),
        ("[dict(type='DiceLoss', weight=2)]", [{"type": "DiceLoss", "weight": 2}]),
        ("[dict(type=DiceLoss)]", [{"type": "DiceLoss"}]),  # the shell took the quotes away
        ("{'a': (1, None, True)}", {"a": (1, None, True)}),
        ("dict(a=dict(b=[1/2]))", {"a": {"b": [0.5]}}),
        ("2024-10-12", "2024-10-12"),
        ("run-1", "run-1"),
        ("a/b", "a/b"),
        ("TRUE", True),
        ("__import__('os')", "__import__('os')"),
        ("open('x').read()", "open('x').read()"),
    ],
)
def test_an_override_is_read_as_in_a_config_and_runs_nothing(text: str, value: object) -> None:
    assert parse_overrides([f"a.b={text}"]) == {"a.b": value}


def test_losses_are_given_on_the_command_line() -> None:
    config = load_config(HIPPOCAMPUS, ["model.losses=[dict(type='DiceLoss', weight=0.5)]"])
    assert config.model.losses == [{"type": "DiceLoss", "weight": 0.5}]
