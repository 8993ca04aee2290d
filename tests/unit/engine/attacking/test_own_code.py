"""What records depend on where the attack is a file of the user's own."""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.engine.attacking.robustness import evaluate_robustness
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.config.load import load_config
from rogseg.engine.evaluated_system import record_versions
from rogseg.engine.model.api import build_model
from rogseg.evaluation.comparison import comparison_tables
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.registry import ATTACKS, BACKBONES, METRICS, MODELS
from rogseg.report.records.contents import contents_of
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
OWN_MEASURE = """
import dataclasses

from rogseg.metrics import Measure
from rogseg.registry import METRICS


@METRICS.register_module()
@dataclasses.dataclass(frozen=True)
class OwnShare(Measure):
    better = "higher"
    name = "share"

    def __call__(self, prediction, target, spacing):
        return float(prediction.mean())
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


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes a file of the user's own and imports it; what it registers is known during the test alone."""
    for registry in (ATTACKS, BACKBONES, METRICS):
        monkeypatch.setattr(registry, "_module_dict", dict(registry.module_dict))
    monkeypatch.syspath_prepend(tmp_path)

    def imported(name: str, content: str) -> Path:
        source = tmp_path / f"{name}.py"
        source.write_text(content)
        importlib.import_module(name)
        return source

    return imported


def test_records_do_not_outlive_a_change_of_an_own_attack(tmp_path: Path, own_file: Callable[[str, str], Path]) -> None:
    source = own_file("own_attack_of_a_test", OWN_ATTACK)
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


def test_numbers_of_an_own_measure_do_not_compare_after_a_change_of_its_code(
    tmp_path: Path, own_file: Callable[[str, str], Path]
) -> None:
    source = own_file("own_measure_of_a_test", OWN_MEASURE)
    system = TorchModule(networks.sound("relu"), inputs=INPUTS, windows={}, outputs={"classes": ["organ", "core"]})
    measures = ({"type": "Dice"}, {"type": "OwnShare"})
    settings = AttackSettings("fgsm", {"type": "FGSM"}, epsilons=(8 / 255,), measures=measures)

    def evaluated(name: str) -> RecordFolder:
        given = GivenCases(CASES, "Synthetic")
        return evaluate_robustness(system, given, settings, tmp_path / name, sanity="none").records

    before, again = evaluated("before"), evaluated("again")
    assert comparison_tables({"one": [before], "other": [again]}, "share")
    source.write_text(OWN_MEASURE.replace("prediction.mean()", "1 - prediction.mean()"))
    after = evaluated("after")
    assert len(comparison_tables({"one": [before], "other": [after]})[0].rows) == 2  # Dice is the same
    told = "differ in own_code of the measure 'share'.* do not compare"
    with pytest.raises(ValueError, match=told):
        comparison_tables({"one": [before], "other": [after]}, "share")
    with pytest.raises(ValueError, match=told):
        contents_of({"one": [before.directory], "other": [after.directory]}, tmp_path)
    with pytest.raises(ValueError, match=r"measures \(their settings, or the files of your own\).*give another --out"):
        evaluated("before")


def test_what_an_own_attack_imports_from_beside_it_is_its_code_too(
    own_file: Callable[[str, str], Path],
) -> None:
    helper = own_file("steps_of_a_test", "SIGN = 1\n")
    own_file("own_stepping_attack_of_a_test", f"from {helper.stem} import SIGN\n{OWN_ATTACK}")
    before = record_versions({"type": "OwnAttack"})
    assert record_versions({"type": "OwnAttack"}) == before
    helper.write_text("SIGN = -1\n")
    assert record_versions({"type": "OwnAttack"})["own_code"] != before["own_code"]


def test_a_network_of_an_own_backbone_is_another_one_after_a_change_of_its_file(
    tmp_path: Path, own_file: Callable[[str, str], Path]
) -> None:
    source = own_file("own_backbone_of_a_test", OWN_BACKBONE)
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
