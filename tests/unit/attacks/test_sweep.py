import torch
from torch import Tensor

from rogseg.attacks import PGD, AttackResult, Composite, DiceBelow, LinfThreat
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
