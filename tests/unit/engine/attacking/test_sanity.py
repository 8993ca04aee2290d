"""What the sanity checks of an evaluation are told, and in which mode the network is asked."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rogseg.engine.attacking import sanity
from rogseg.engine.attacking.robustness import evaluate_robustness
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.evaluation.case_record import CLEAN
from rogseg.systems import GivenCases
from rogseg.systems.any_network import TorchModule
from tests.unit.attacks.sanity import networks

INPUTS = {
    "channels": ["MR"],
    "intensity": [{"type": "ScaleIntensityRange", "a_min": -2, "a_max": 3, "b_min": -2.0, "b_max": 3.0, "clip": True}],
}
CASES = [dataclasses.replace(case, spacing=(1.0, 1.0, 1.0)) for case in networks.cases()]


class Normed(nn.Module):
    """Dice depends on whose statistics are taken, and every pass in training mode moves them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm3d(3)
        self.scores = (networks.sound("relu"),)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.norm(self.scores[0](inputs))
        return scores


def made(network: nn.Module) -> TorchModule:
    return TorchModule(network, inputs=INPUTS, windows={}, outputs={"classes": ["organ", "core"]})


def evaluated(system: TorchModule, out: Path, **settings: Any) -> list[tuple[str, float | None]]:
    fgsm = AttackSettings("fgsm", {"type": "FGSM"}, epsilons=(8 / 255,), **settings)
    records = evaluate_robustness(system, GivenCases(CASES), fgsm, out).records
    return [(record.condition, record.mean_dice) for record in records.records]


def test_a_network_left_in_training_mode_is_asked_as_it_is_attacked(tmp_path: Path) -> None:
    network = Normed()
    expected = evaluated(made(network), tmp_path / "evaluation")
    assert {condition for condition, _ in expected} == {CLEAN, "fgsm"}
    system = made(network)
    network.train()
    assert evaluated(system, tmp_path / "training") == expected
    assert network.training
    assert network.norm.num_batches_tracked == 0


@pytest.mark.parametrize(
    ("criterion", "aims_at_dice"), [(None, True), ({"type": "ClassVanished", "target_class": 1}, False)]
)
def test_square_is_compared_with_attacks_that_aim_at_dice(
    criterion: dict[str, Any] | None, aims_at_dice: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(sanity, "run_checks", lambda *_, **settings: told.update(settings) or ())
    evaluated(made(Normed()), tmp_path, criterion=criterion)
    assert bool(told["white_box"]) == bool(told["recorded"]) == aims_at_dice
    assert told["classes"] == ((1,), (2,))
    assert told["label"] == "8/255"
