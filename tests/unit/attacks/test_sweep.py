import pytest
import torch
from torch import Tensor

from rogseg.attacks import APGD, PGD, AttackResult, ClassAppears, Composite, Criterion, DiceBelow, LinfThreat, VolumeOff
from rogseg.attacks.objectives import ChangeVolume, ScaleFree
from rogseg.attacks.sweep import no_weaker
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-1.0], [1.0])
# The first case lies near the boundary, the second far from it.
INPUTS = torch.tensor([0.1, 0.3]).view(2, 1, 1, 1, 1).expand(2, 1, 2, 2, 2).contiguous()
TARGETS = torch.ones(2, 2, 2, 2, dtype=torch.int64)


def model(volume: Tensor) -> Tensor:
    return torch.cat([-volume, volume], dim=1)


def result_at(epsilon: float, iterations: int = 4) -> AttackResult:
    attack = Composite({"pgd": PGD(num_iterations=iterations, step_size=1.0 if iterations > 1 else 1e-6,
                                   random_start=False)})  # fmt: skip
    threat = LinfThreat.from_fraction(epsilon, BOX)
    return attack(model, INPUTS, TARGETS, threat, DiceBelow(0.5), generator=torch.Generator().manual_seed(0))


def test_what_fell_at_a_smaller_epsilon_stays_fallen_case_by_case() -> None:
    smaller, lazy = result_at(0.1), result_at(0.12, iterations=1)
    assert smaller.success.tolist() == [True, False]
    assert lazy.success.tolist() == [False, False]
    kept = no_weaker(lazy, smaller)
    assert kept.success.tolist() == [True, False]
    assert torch.equal(kept.adversarial[0], smaller.adversarial[0])
    assert torch.equal(kept.adversarial[1], lazy.adversarial[1])
    assert torch.equal(kept.prediction[0], smaller.prediction[0])
    assert kept.distance[0] == smaller.distance[0]
    assert kept.members["pgd"].success.tolist() == [True, False]
    # The passes are those that were made for it.
    assert (kept.num_forward, kept.num_backward) == (lazy.num_forward, lazy.num_backward)


def test_a_stronger_result_is_left_as_it_is() -> None:
    smaller, larger = result_at(0.1), result_at(0.2)
    assert larger.success.tolist() == [True, True]
    assert torch.equal(no_weaker(larger, smaller).adversarial, larger.adversarial)


def graded(volume: Tensor) -> Tensor:
    """Foreground wherever the intensity is above 0.9."""
    return torch.cat([0.9 - volume, volume - 0.9], dim=1) * 40


@pytest.mark.parametrize("of_a_composite", [False, True])
def test_more_epsilon_keeps_what_is_nearer_to_the_aim_not_what_has_a_lower_dice(of_a_composite: bool) -> None:
    """An organ that is seen too small shall grow fourfold: with more epsilon it is larger, and its Dice higher."""
    ramp = torch.linspace(0, 1, 60).view(1, 1, 3, 4, 5)
    targets = (ramp[:, 0] > 0.8).long()
    aim = ScaleFree(ChangeVolume("over"))

    def at(epsilon: float) -> AttackResult:
        attack = APGD(aim, num_iterations=5, select="objective")
        threat = LinfThreat.from_fraction(epsilon, IntensityBox.per_channel([0.0], [1.0]))
        whole = Composite({"apgd": attack}) if of_a_composite else attack
        return whole(graded, ramp, targets, threat, VolumeOff("over", 3.0), generator=torch.Generator().manual_seed(0))

    smaller, larger = at(0.01), at(0.1)
    assert not larger.success.any()
    assert smaller.mean_dice < larger.mean_dice
    assert no_weaker(larger, smaller).prediction.sum() == larger.prediction.sum() > smaller.prediction.sum()


@pytest.mark.parametrize("criterion", [VolumeOff("over", 9.0), VolumeOff("under", 1.0), ClassAppears(num_voxels=10**6)])
def test_every_aim_ranks_by_itself(criterion: Criterion) -> None:
    """Nothing falls; the volume that is further along is the worse one, whatever its Dice."""
    labels = torch.zeros(1, 1, 2, 8, dtype=torch.int64)
    labels[..., 0, :4] = 1
    targets = labels if isinstance(criterion, VolumeOff) else labels * 0

    def ranked(number: int) -> float:
        found = torch.zeros_like(labels)
        found.view(-1)[:number] = 1
        logits = torch.nn.functional.one_hot(found, 2).movedim(-1, 1).float()
        assert not criterion(logits, targets).any()
        return float(criterion.rank(logits, targets))

    numbers = [1, 3, 4, 6, 9]
    ranks = [ranked(number) for number in numbers]
    is_under = isinstance(criterion, VolumeOff) and criterion.direction == "under"
    assert ranks == sorted(ranks, reverse=is_under)
    assert len(set(ranks)) == len(ranks)
