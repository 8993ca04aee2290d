from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from rogseg.attacks import DiceBelow, L2Threat, LinfThreat, QuantisationThreat
from rogseg.attacks.base import Attack
from rogseg.attacks.ensembles.composite import Composite
from rogseg.cases import IntensityBox
from rogseg.registry import ATTACKS, THREATS

CONFIGS = sorted((Path(__file__).parents[3] / "configs" / "attack").glob("*.py"))
OWN_BUDGET = {"num_iterations": 3, "num_queries": 4, "gamma": 0.1, "num_passes": 40}


def model(inputs: Tensor) -> Tensor:
    centres = torch.arange(3.0).view(1, 3, 1, 1, 1)
    return -4 * (inputs - centres).square()


def load(path: Path) -> Config:
    return Config.fromfile(str(path))


def test_the_promised_attacks_are_there() -> None:
    names = {path.stem for path in CONFIGS}
    assert names >= {
        "fgsm",
        "pgd",
        "apgd_ce",
        "apgd_dlr",
        "fab",
        "fab_dice",
        "alma_prox",
        "pdpgd",
        "square",
        "autoattack",
        "segmentation_ensemble",
        "sea",
        "strongest",
        "legacy_rog",
    }


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_each_config_builds_an_attack_that_finds_something(path: Path) -> None:
    config = load(path)
    kind = config.threat["type"]
    assert config.epsilons == [{"L2Threat": 1 / 255, "QuantisationThreat": 20 / 255}.get(kind, 8 / 255)]
    settings = config.attack.to_dict()
    settings.update({key: value for key, value in OWN_BUDGET.items() if key in settings})
    attack = ATTACKS.build(settings)
    assert isinstance(attack, Attack)
    targets = torch.zeros(1, 5, 5, 2, dtype=torch.int64)
    targets[0, 1:4, 1:4] = 1
    targets[0, 2:4, 2:4] = 2
    inputs = targets[:, None] * 0.9 + 0.1
    threats = {"L2Threat": L2Threat, "QuantisationThreat": QuantisationThreat}
    threat = threats.get(kind, LinfThreat).from_fraction(0.2, IntensityBox.per_channel([-1.0], [3.0]))
    result = attack(model, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator().manual_seed(0))
    assert float(result.mean_dice) <= 1.0
    if not path.stem.startswith(("fab", "square", "alma", "pdpgd", "vafa")):
        assert float(result.mean_dice) < 1.0
    assert bool(result.members) == isinstance(attack, Composite)


def test_only_the_legacy_config_takes_the_legacy_threat() -> None:
    for path in CONFIGS:
        threat = load(path).threat
        assert threat["type"] in THREATS.module_dict
        legacy = path.stem == "legacy_rog"
        assert (threat["type"] == "LegacyROGThreat") == legacy
        assert threat["unit"] == ("network" if legacy else "fraction")
