import pytest
import torch
from torch import Tensor

from rogseg.attacks.criteria import ClassVanished, DiceBelow
from rogseg.attacks.legacy.legacy_pgd import LegacyPGD
from rogseg.attacks.legacy.legacy_rog import LegacyROG
from rogseg.attacks.legacy.legacy_rog_threat import LegacyROGThreat
from rogseg.attacks.threats import LinfThreat
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-2.0], [4.0])


def model(inputs: Tensor) -> Tensor:
    centres = torch.arange(3.0).view(1, 3, 1, 1, 1)
    return -4 * (inputs - centres).square()


def problem() -> tuple[Tensor, Tensor]:
    targets = torch.zeros(2, 6, 6, 2, dtype=torch.int64)
    targets[:, 1:5, 1:5] = 1
    targets[:, 2:4, 2:4] = 2
    noise = torch.rand(2, 1, 6, 6, 2, generator=torch.Generator().manual_seed(0))
    return 1.1 * targets[:, None] - 0.2 + 0.2 * noise, targets


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_the_clamp_leaves_the_ball_and_the_record_shows_it() -> None:
    inputs, targets = problem()
    threat = LegacyROGThreat.from_network_units(8 / 255, BOX)
    result = LegacyROG(num_iterations=2, num_restarts=1)(
        model, inputs, targets, threat, DiceBelow(0.4), generator=generator()
    )
    apgd = result.members["legacy APGD-CE"]
    # Class 2 lies at 2 and is clamped to 1: its voxels are lost without any attack, thirty times further than epsilon.
    assert (apgd.dice[:, 1] == 0).all()
    assert (apgd.distance * 6 > 30 * 8 / 255).all()
    # FAB's results never pass the distance test after the clamp, so it reports the clean Dice.
    fab = result.members["legacy FAB-T"]
    assert torch.equal(fab.adversarial, inputs)
    assert fab.mean_dice.tolist() == [1.0, 1.0]
    assert all(name.startswith("legacy ") for name in result.members)


def test_under_a_right_threat_model_the_same_attacks_stay_inside() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(8 / 255, BOX)
    result = LegacyROG(num_iterations=2, num_restarts=1)(
        model, inputs, targets, threat, DiceBelow(0.4), generator=generator()
    )
    assert (result.distance <= 8 / 255 + 1e-6).all()
    assert result.members["legacy APGD-CE"].mean_dice.min() > 0.9


def test_thresholds_compound_once_per_attack() -> None:
    attack = LegacyROG()
    criteria = [attack.member_criterion(position, DiceBelow(0.4)) for position in range(3)]
    thresholds = [criterion.threshold for criterion in criteria if isinstance(criterion, DiceBelow)]
    assert thresholds == pytest.approx([0.4, 0.4 * 0.8, 0.4 * 0.8**2])
    of_regions = attack.member_criterion(1, DiceBelow(0.4, [(1, 2), (2,)]))
    assert isinstance(of_regions, DiceBelow)
    assert of_regions.classes == [(1, 2), (2,)]
    criterion = DiceBelow(0.4)
    assert LegacyROG(compound_threshold=False).member_criterion(2, criterion) is criterion
    with pytest.raises(ValueError, match="switch it off"):
        attack.member_criterion(0, ClassVanished())


def test_switches_change_the_budget() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(8 / 255, BOX)
    attack = LegacyROG(
        num_iterations=3, num_restarts=2, queries_as_iterations=False, num_queries=7, fab_always_five=False
    )
    members = attack(model, inputs, targets, threat, DiceBelow(0.4), generator=generator()).members
    assert members["legacy Square"].num_forward == 7 + 1
    # Two ranks of three iterations.
    assert members["legacy FAB-T"].num_backward == 6
    assert members["legacy APGD-CE"].num_backward == 6


def test_restarts_are_mixed_voxel_by_voxel() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(0.05, BOX)
    arguments = (model, inputs, targets, threat, DiceBelow(0.4))
    one = LegacyPGD(num_iterations=1, num_restarts=1)(*arguments, generator=generator())
    many = LegacyPGD(num_iterations=1, num_restarts=20)(*arguments, generator=generator())
    # For a model without neighbourhood each voxel's choice is independent, so mixing can only help.
    assert (many.loss > one.loss).all()
    assert one.num_backward == 1
    assert many.num_backward == 20
