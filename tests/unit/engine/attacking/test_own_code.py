"""What records depend on where the attack is a file of the user's own."""

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.engine.attacking.robustness import evaluate_robustness
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.config.load import load_config
from rogseg.engine.evaluated_system import record_versions
from rogseg.engine.model.api import build_model
from rogseg.registry import ATTACKS, BACKBONES, MODELS
from rogseg.systems import GivenCases
from rogseg.systems.any_network import TorchModule
from tests.tiny_task import write_tiny_task
from tests.tiny_training import write_tiny_config
from tests.unit.attacks.sanity import networks

OWN_ATTACK = """
from rogseg.attacks import Attack, Perturbation
from rogseg.registry import ATTACKS


@ATTACKS.register_module()
class OwnAttack(Attack):
    def perturb(self, problem, generator):
        return Perturbation(problem.inputs)
"""
OWN_BACKBONE = """
from rogseg.registry import BACKBONES
from tests.tiny_training import TinyBackbone


@BACKBONES.register_module()
class OwnBackbone(TinyBackbone):
    pass
"""
INPUTS = {
    "channels": ["MR"],
    "intensity": [{"type": "ScaleIntensityRange", "a_min": -2, "a_max": 3, "b_min": -2.0, "b_max": 3.0, "clip": True}],
}
CASES = [dataclasses.replace(case, spacing=(1.0, 1.0, 1.0)) for case in networks.cases(1)]


def test_records_do_not_outlive_a_change_of_an_own_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ATTACKS, "_module_dict", dict(ATTACKS.module_dict))
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / "own_attack_of_a_test.py"
    source.write_text(OWN_ATTACK)
    importlib.import_module(source.stem)
    system = TorchModule(networks.sound("relu"), inputs=INPUTS, windows={}, outputs={"classes": ["organ", "core"]})
    own = AttackSettings("own", {"type": "OwnAttack", "objective": {"type": "CrossEntropy"}}, epsilons=(8 / 255,))

    def evaluated() -> int:
        return len(evaluate_robustness(system, GivenCases(CASES), own, tmp_path / "out", sanity="none").records.records)

    assert evaluated() == 2
    assert evaluated() == 2  # goes on with what is there
    source.write_text(OWN_ATTACK.replace("problem.inputs", "-problem.inputs"))
    with pytest.raises(ValueError, match=r"own_code \(the files of your own components, .*give another --out"):
        evaluated()
    assert set(record_versions([{"attack": {"type": "OwnAttack"}}])) == {"rogseg", "schema", "own_code"}
    assert set(record_versions({"type": "APGD"}, None)) == {"rogseg", "schema"}


def test_what_an_own_attack_imports_from_beside_it_is_its_code_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ATTACKS, "_module_dict", dict(ATTACKS.module_dict))
    monkeypatch.syspath_prepend(tmp_path)
    helper, source = tmp_path / "steps_of_a_test.py", tmp_path / "own_stepping_attack_of_a_test.py"
    helper.write_text("SIGN = 1\n")
    source.write_text(f"from {helper.stem} import SIGN\n{OWN_ATTACK}")
    importlib.import_module(source.stem)
    before = record_versions({"type": "OwnAttack"})
    assert record_versions({"type": "OwnAttack"}) == before
    helper.write_text("SIGN = -1\n")
    assert record_versions({"type": "OwnAttack"})["own_code"] != before["own_code"]


def test_a_network_of_an_own_backbone_is_another_one_after_a_change_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BACKBONES, "_module_dict", dict(BACKBONES.module_dict))
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / "own_backbone_of_a_test.py"
    source.write_text(OWN_BACKBONE)
    importlib.import_module(source.stem)
    path = write_tiny_config(tmp_path, "model['backbone']['type'] = 'OwnBackbone'\n")
    config = load_config(path, [], write_tiny_task(tmp_path / "task").directory)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, tmp_path / "weights.pth")

    def options() -> dict[str, Any]:
        return dict(build_model(config, tmp_path / "weights.pth", "cpu").identity.options)

    before = options()
    assert options() == before
    source.write_text(OWN_BACKBONE + "# changed\n")
    after = options()
    assert {key for key in after if after[key] != before[key]} == {"own_code"}
