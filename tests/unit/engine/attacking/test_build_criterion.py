"""The verdict of an attack is about the Dice that its records measure."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from rogseg.attacks import FGSM, Composite, LinfThreat
from rogseg.attacks.objectives import HardDice
from rogseg.cases import Case, IntensityBox
from rogseg.engine.attacking.case_attacker import AttackedCase, CaseAttacker, CleanCase
from rogseg.engine.attacking.criterion_choice import build_criterion
from rogseg.engine.attacking.loop import mean_clean_dice
from rogseg.engine.attacking.robustness import make_attacker
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.evaluation.case_record import CaseRecord
from rogseg.metrics import Dice
from rogseg.systems import CaseSource, System

REGIONS = ((1, 2, 3), (2, 3), (3,))


class _Regions:
    device, model = None, staticmethod(lambda volume: volume)
    class_indices = REGIONS
    class_names = ("whole", "core", "enhancing")
    identity = SimpleNamespace(name="tumours")


def sees_all_as_the_core(volume: Tensor) -> Tensor:
    """Regions one in the other, as of a tumour: whatever is bright belongs to all of them."""
    scores = 20 * (volume - 0.5)
    return torch.cat([-scores, scores - 50, scores - 50, scores], dim=1)


def only(outcome: tuple[CaseRecord, ...] | str) -> CaseRecord:
    assert not isinstance(outcome, str)
    (record,) = outcome
    return record


def test_regions_are_judged_as_they_are_recorded() -> None:
    targets = torch.zeros(1, 12, 12, 12, dtype=torch.int64)
    targets[:, 1:11, 1:11, 1:11], targets[:, 2:10, 2:10, 2:10], targets[:, 3:9, 3:9, 3:9] = 1, 2, 3
    inputs = torch.where(targets > 0, 0.8, 0.2)[:, None]
    case = Case("a", inputs, targets, IntensityBox.of((0.0, 1.0)))
    attacker = CaseAttacker(
        sees_all_as_the_core, FGSM(), "fgsm", lambda epsilon, c: LinfThreat.from_fraction(epsilon, c.box),
        lambda _: case, (Dice(),), REGIONS,
    )  # fmt: skip
    clean = only(attacker(CleanCase("a")))
    mu = mean_clean_dice({"a": clean}, ["a"])
    for setting in (None, {"type": "DiceBelow", "threshold": mu / 2}):
        criterion = build_criterion(setting, mu, cast("System", _Regions()))
        record = only(attacker(AttackedCase("a", (1e-6,), criterion, clean.clean)))
        assert record.mean_dice == clean.mean_dice == mu  # nothing has changed,
        assert record.success is False  # so nothing has fallen
    stricter = build_criterion({"type": "DiceBelow", "threshold": 0.9}, mu, cast("System", _Regions()))
    record = only(attacker(AttackedCase("a", (1e-6,), stricter, clean.clean)))
    assert mu < 0.9
    assert record.success is True


@pytest.mark.parametrize("kind", ["ClassVanished", "ClassGrown", "LesionsMissed", "ClassAppears"])
def test_a_region_that_holds_others_is_no_target(kind: str) -> None:
    """Found as the core alone, the whole tumour would count as vanished before anything is attacked."""
    system = cast("System", _Regions())
    for wanted in (-1, 3):
        build_criterion({"type": kind, "target_class": wanted}, 0.8, system)
    for wanted, name in ((1, "whole"), (2, "core")):
        with pytest.raises(ValueError, match=f"target_class is {wanted}: in tumours that is the region {name}"):
            build_criterion({"type": kind, "target_class": wanted}, 0.8, system)


@pytest.mark.parametrize(
    "attack",
    [
        {"type": "APGD", "objective": {"type": "RemoveClass", "target_class": 1}},
        {"type": "Ensemble", "attacks": [{"type": "PGD", "objective": {"type": "GrowClass", "target_class": 1}}]},
    ],
)
def test_an_attack_on_such_a_region_is_refused_before_anything_runs(attack: dict[str, Any]) -> None:
    settings = AttackSettings("remove", attack)
    how: dict[str, Any] = {"protocol": "volume", "seed": 0, "reference": None, "on_result": None}
    with pytest.raises(ValueError, match="region whole, which holds others"):
        make_attacker(cast("System", _Regions()), cast("CaseSource", None), settings, **how)


def test_an_objective_that_is_the_dice_is_that_of_the_regions_too() -> None:
    square = {"type": "Square", "objective": {"type": "HardDice"}, "num_queries": 2}
    settings = AttackSettings("both", {"type": "Composite", "members": {"square": square, "fgsm": {"type": "FGSM"}}})
    attacker = make_attacker(
        cast("System", _Regions()), cast("CaseSource", None), settings, protocol="volume", seed=0, reference=None,
        on_result=None,
    )  # fmt: skip
    attack = attacker.attack
    assert isinstance(attack, Composite)
    objective = attack.attacks["square"].objective
    assert isinstance(objective, HardDice)
    targets = torch.tensor([0, 1, 2, 3]).reshape(1, 1, 1, 4)
    core_alone = torch.tensor([0, 3, 3, 3]).reshape(1, 1, 1, 4)
    scores = torch.nn.functional.one_hot(core_alone, 4).movedim(-1, 1).float()
    of_regions = (1 + 2 * 2 / 5 + 2 * 1 / 4) / 3  # whole, core, enhancing
    assert float(objective(scores, targets)) == pytest.approx(1 - of_regions)
    assert settings.attack["members"]["square"] == square  # what is recorded is what was asked for
