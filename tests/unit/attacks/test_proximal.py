import pytest
import torch
from torch import Tensor

from rogseg.attacks import PDPGD, ALMAProx, DiceBelow, L2Threat, LinfThreat
from rogseg.attacks.criteria import ClassVanished
from rogseg.attacks.proximal.descent import prox_of_largest_move
from rogseg.attacks.proximal.voxel_constraints import VoxelConstraints
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-1.0], [3.0])  # a width of 4


def prox_value(p: Tensor, point: Tensor, metric: Tensor, weight: float) -> float:
    return float(weight * p.abs().max() + (metric * (p - point) ** 2).sum() / 2)


@pytest.mark.parametrize("weight", [0.01, 0.7, 2.0, 500.0])
def test_the_proximal_operator_is_below_all_that_a_search_finds(weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (1, 1, 2, 3, 2)
    point, metric = torch.randn(shape, generator=generator), torch.rand(shape, generator=generator)
    lower, upper = -0.8 * torch.rand(shape, generator=generator), 0.8 * torch.rand(shape, generator=generator)
    found = prox_of_largest_move(point, metric, torch.tensor([weight]), lower, upper)
    assert ((found >= lower) & (found <= upper)).all()
    best = prox_value(found, point, metric, weight)
    # Every optimum is the point, cut to some largest move and to the box.
    for largest in torch.linspace(0, 0.8, 400):
        tried = point.clamp(-largest, largest).clamp(lower, upper)
        assert best <= prox_value(tried, point, metric, weight) + 1e-6
    for _ in range(50):
        tried = (found + 0.02 * torch.randn(shape, generator=generator)).clamp(lower, upper)
        assert best <= prox_value(tried, point, metric, weight) + 1e-6
    assert bool((found == 0).all()) == (weight == 500.0)


def test_the_proximal_operator_in_closed_form() -> None:
    """Three equal moves a in a metric h: each loses weight / (3 h)."""
    point = torch.tensor([0.5, -0.5, 0.5]).view(1, 1, 1, 1, 3)
    room = torch.ones_like(point)
    found = prox_of_largest_move(point, 2 * room, torch.tensor([0.6]), -room, room)
    assert found.flatten().tolist() == pytest.approx([0.4, -0.4, 0.4])


def model(volume: Tensor) -> Tensor:
    """Foreground above 0."""
    return torch.cat([-volume, volume], dim=1)


@pytest.mark.parametrize("kind", [ALMAProx, PDPGD])
def test_the_shortest_distance_that_loses_what_must_be_lost(kind: type[ALMAProx] | type[PDPGD]) -> None:
    """Voxels lie 0.4, 0.8, 1.2 and 1.6 above the boundary: a Dice under 0.7 needs two of them.

    The second is a fifth of the width away. Losing one leaves a Dice of 6 / 7, two 4 / 6.
    """
    inputs = torch.tensor([0.4, 0.8, 1.2, 1.6]).view(1, 1, 1, 1, 4)
    targets = torch.ones(1, 1, 1, 4, dtype=torch.int64)
    attack = kind(num_iterations=90, step_size=0.01, left=0.5)
    threat = LinfThreat.from_fraction(0.3, BOX)
    result = attack(model, inputs, targets, threat, DiceBelow(0.7), generator=torch.Generator())
    assert bool(result.success)
    assert result.found_distance is not None
    assert 0.2 * (1 - 1e-5) <= float(result.found_distance) <= 0.2 * 1.06
    assert float(result.distance) == pytest.approx(float(result.found_distance), abs=1e-6)
    assert (result.adversarial[0, 0, 0, 0, 2:] > 0).all()


@pytest.mark.parametrize("kind", [ALMAProx, PDPGD])
def test_what_may_not_move_stays_and_other_norms_are_refused(kind: type[ALMAProx] | type[PDPGD]) -> None:
    inputs = torch.tensor([0.4, 0.8, 1.2, 1.6]).view(1, 1, 1, 1, 4)
    targets = torch.ones(1, 1, 1, 4, dtype=torch.int64)
    support = torch.tensor([True, False, True, True]).view(1, 1, 1, 1, 4)
    arguments = (model, inputs, targets)
    threat = LinfThreat.from_fraction(0.5, BOX).within(support)
    result = kind(num_iterations=40, step_size=0.04)(*arguments, threat, DiceBelow(0.7), generator=torch.Generator())
    assert result.adversarial.flatten()[1] == inputs.flatten()[1]
    assert bool(result.success)
    with pytest.raises(ValueError, match="LinfThreat"):
        kind()(*arguments, L2Threat.from_fraction(0.1, BOX), DiceBelow(0.7), generator=torch.Generator())
    with pytest.raises(ValueError, match="left is 1"):
        kind(left=1.0)


def test_the_hardest_voxels_of_each_class_may_stand() -> None:
    targets = torch.tensor([1, 1, 1, 1, 2, 2, 0, 0]).view(1, 1, 1, 8)
    logits = torch.zeros(1, 3, 1, 1, 8)
    logits.scatter_(1, targets[:, None], torch.tensor([1.0, 2, 3, 4, 8, 6, 5, 5]).view(1, 1, 1, 1, 8))
    constraints = VoxelConstraints(logits, targets, ClassVanished(), left=0.5)
    values = constraints.values(logits)
    assert values.flatten().tolist() == pytest.approx([v / 4.25 for v in (1, 2, 3, 4, 8, 6, 5, 5)])
    shares = constraints.shares(values).flatten()
    assert shares.tolist() == pytest.approx([0.25, 0.25, 0, 0, 0, 0.5, 0, 0])
    # A Dice of 0.5 is a recall of a third, of which nine tenths are left.
    assert VoxelConstraints(logits, targets, DiceBelow(0.5)).left == pytest.approx(0.3)
    empty = torch.zeros_like(targets)
    assert VoxelConstraints(logits, empty, DiceBelow(0.5), left=0.0).shares(values).flatten().tolist() == [0.125] * 8
