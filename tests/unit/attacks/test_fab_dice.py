import pytest
import torch
from torch import Tensor

from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.fab import FAB
from rogseg.attacks.fab.fab_dice import FABDice
from rogseg.attacks.threats import L2Threat, LinfThreat
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-2.0, 0.0], [2.0, 1.0])


def problem() -> tuple[Tensor, Tensor]:
    """A bright cube in a large background, as in medicine: most voxels have no part in the Dice."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.zeros(3, 8, 8, 4, dtype=torch.int64)
    targets[0, 2:5, 2:5, 1:3] = 1
    targets[1, 1:7, 2:4, 0:3] = 1
    inputs = torch.zeros(3, 2, 8, 8, 4)
    inputs[:, 0] = targets * 2.4 - 1.9 + 0.2 * torch.rand(targets.shape, generator=generator)
    inputs[:, 1] = 0.5
    return inputs, targets


def model(inputs: Tensor) -> Tensor:
    """Background is far more certain than foreground."""
    score = inputs[:, :1]
    return torch.cat([-6 * score.clamp(max=0), 3 * score.clamp(min=0)], dim=1)


def test_it_finds_adversaries_where_fab_t_does_not() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(0.22, BOX)
    generator = torch.Generator().manual_seed(0)
    mean_logit = FAB()(model, inputs, targets, threat, DiceBelow(0.5), generator=generator)
    dice = FABDice()(model, inputs, targets, threat, DiceBelow(0.5), generator=generator)
    assert mean_logit.success.tolist() == [False, False, False]
    # The third case has no foreground, hence no Dice that could fall.
    assert dice.success.tolist() == [True, True, False]
    assert torch.equal(mean_logit.adversarial, inputs)
    assert mean_logit.found_distance is not None
    assert dice.found_distance is not None
    assert (dice.found_distance[:2] < 0.22).all()
    assert (mean_logit.found_distance > 0.22).all()
    assert torch.equal(dice.distance[:2], dice.found_distance[:2])


@pytest.mark.parametrize("threat_type", [LinfThreat, L2Threat])
def test_the_adversary_is_hardly_longer_than_needed(threat_type: type[LinfThreat | L2Threat]) -> None:
    inputs, targets = problem()
    inputs, targets = inputs[:1], targets[:1]
    threat = threat_type.from_fraction(100.0, BOX)
    result = FABDice(num_iterations=40)(model, inputs, targets, threat, DiceBelow(0.6), generator=torch.Generator())
    # Dice of 18 voxels: with n of them lost it is 2 (18 - n) / (36 - n), under 0.6 from 11 on; all of them start in
    # [0.5, 0.7], and false positives are much further away. In L2 it
    # matters which 11, and the linearisation spreads the move over all 18.
    needed = inputs[0, 0][targets[0] == 1].sort().values[:11] / 4
    best = needed.max() if threat_type is LinfThreat else needed.norm() / inputs[0].numel() ** 0.5
    assert result.found_distance is not None
    slack = 1.05 if threat_type is LinfThreat else 1.6
    assert float(best) <= float(result.found_distance[0]) <= slack * float(best)


@pytest.mark.parametrize("attack", [FAB(num_iterations=40), FABDice(num_iterations=40)])
@pytest.mark.parametrize("threat_type", [LinfThreat, L2Threat])
def test_frozen_voxels_have_no_part_in_the_way(threat_type: type[LinfThreat | L2Threat], attack: FAB | FABDice) -> None:
    """Of four voxels two may move; they flip at a tenth of the width, the others would by far less."""
    box = IntensityBox.per_channel([-2.0], [2.0])
    inputs = torch.tensor([0.4, 0.4, 0.001, 0.001]).view(1, 1, 1, 1, 4)
    support = torch.tensor([True, True, False, False]).view(1, 1, 1, 1, 4)
    targets = torch.ones(1, 1, 1, 4, dtype=torch.int64)
    threat = threat_type.from_fraction(0.2, box).within(support)
    result = attack(
        lambda volume: torch.cat([-volume, volume], dim=1), inputs, targets, threat, DiceBelow(0.7),
        generator=torch.Generator(),
    )  # fmt: skip
    assert result.success.tolist() == [True]
    assert torch.equal(result.adversarial[~support], inputs[~support])
    assert result.found_distance is not None
    assert 0.1 <= float(result.found_distance) <= 0.106
    assert float(result.distance) == pytest.approx(float(result.found_distance))


@pytest.mark.parametrize("attack", [FAB(num_iterations=10), FABDice(num_iterations=10)])
def test_frozen_voxels_do_not_move_by_rounding_either(attack: FAB | FABDice) -> None:
    """Far from 0 a unit in the last place is more of the box's width than the threat model lets pass."""
    centre, generator = 1000.0, torch.Generator().manual_seed(0)
    inputs = centre + 0.2 + 0.1 * torch.rand(1, 1, 4, 4, 4, generator=generator)
    support = torch.rand(1, 1, 4, 4, 4, generator=generator) < 0.5
    threat = LinfThreat.from_fraction(0.4, IntensityBox.per_channel([centre - 1], [centre + 1])).within(support)
    result = attack(
        lambda volume: torch.cat([centre - volume, volume - centre], dim=1), inputs,
        torch.ones(1, 4, 4, 4, dtype=torch.int64), threat, DiceBelow(0.9), generator=generator,
    )  # fmt: skip
    assert result.success.tolist() == [True]


def test_the_surface_is_that_of_the_regions_whose_dice_the_criterion_asks_for() -> None:
    """A core called far too large: index by index the Dice is under the threshold before anything has moved."""
    inputs, targets = problem()
    inputs, targets = inputs[:1, :1], targets[:1]
    targets[0, 3, 3, 1] = 2

    def all_core(volumes: Tensor) -> Tensor:
        found = model(volumes)
        return torch.cat([found[:, :1], found[:, 1:] - 1, found[:, 1:]], dim=1)

    criterion, threat = DiceBelow(0.5, [(1, 2)]), LinfThreat.from_fraction(0.22, IntensityBox.of((-2.0, 2.0)))
    assert float(-DiceBelow(0.5).nearness(all_core(inputs), targets)) < 0.5
    assert not criterion(all_core(inputs), targets)
    result = FABDice()(all_core, inputs, targets, threat, criterion, generator=torch.Generator())
    assert result.success.tolist() == [True]


def test_a_case_that_has_fallen_is_left_as_it_is() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(0.1, BOX)
    wrong = targets.roll(4, dims=1)
    for attack in (FAB(num_iterations=2), FABDice(num_iterations=2)):
        result = attack(model, inputs, wrong, threat, DiceBelow(0.9), generator=torch.Generator())
        assert result.success.tolist() == [True, True, False]
        assert torch.equal(result.adversarial[:2], inputs[:2])
        assert result.found_distance is not None
        assert result.found_distance[:2].tolist() == [0.0, 0.0]


class Never(Criterion):
    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.zeros(len(logits), dtype=torch.bool)

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        return torch.ones(len(targets), dtype=torch.bool)


def test_wrong_settings_are_named() -> None:
    inputs, targets = problem()
    threat = LinfThreat.from_fraction(0.1, BOX)
    with pytest.raises(ValueError, match="FABDice needs a threshold"):
        FABDice()(model, inputs, targets, threat, Never(), generator=torch.Generator())
    with pytest.raises(ValueError, match="2 classes"):
        FAB(target_ranks=(3,))(model, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator())
    with pytest.raises(ValueError, match="from 2"):
        FAB(target_ranks=(1,))
    with pytest.raises(ValueError, match="alpha_max"):
        FAB(alpha_max=1.5)
