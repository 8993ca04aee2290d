import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.attacks.criteria import Criterion
from rogseg.attacks.fab import FAB
from rogseg.attacks.result import AttackResult
from rogseg.attacks.threats import LinfThreat
from rogseg.cases import IntensityBox
from tests.shared_data import shared_path


class Misclassified(Criterion):
    """The one voxel of the case has another label."""

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        return (logits.argmax(1) != targets).flatten(1).any(1)

    def applies(self, targets: Tensor, num_classes: int) -> Tensor:
        return torch.ones(len(targets), dtype=torch.bool)


def run(rank: int, epsilon: float) -> tuple[AttackResult, Tensor, Tensor]:
    data = np.load(shared_path("reference/autoattack_points.npz"))
    w1, b1, w2, b2 = (torch.from_numpy(data[name]) for name in ("W1", "b1", "W2", "b2"))
    rows = data[f"fabt_target{rank}_rows"]
    inputs = torch.from_numpy(data["x"][rows]).view(-1, 16, 1, 1, 1)
    targets = torch.from_numpy(data["y"][rows]).view(-1, 1, 1, 1)

    def network(volume: Tensor) -> Tensor:
        logits = torch.tanh((volume.flatten(1) - 0.5) @ w1.T + b1) @ w2.T + b2
        return logits.view(*logits.shape, 1, 1, 1)

    threat = LinfThreat.from_fraction(epsilon, IntensityBox.per_channel([0.0] * 16, [1.0] * 16))
    attack = FAB(num_iterations=20, target_ranks=(rank,))
    result = attack(network, inputs, targets, threat, Misclassified(), generator=torch.Generator())
    return result, inputs.flatten(1), torch.from_numpy(data[f"fabt_target{rank}_adv"])


@pytest.mark.parametrize("rank", [2, 3])
def test_adversaries_are_those_of_the_reference(rank: int) -> None:
    result, inputs, reference = run(rank, epsilon=1.0)
    assert (result.adversarial.flatten(1) - reference).abs().max() <= 1e-5
    assert result.found_distance is not None
    moved = (reference - inputs).abs().amax(1)
    found = result.found_distance.isfinite()
    assert torch.equal(found, moved > 0)
    assert torch.allclose(result.found_distance[found].float(), moved[found], atol=1e-5)
    assert torch.equal(result.success, found)


def test_an_adversary_longer_than_epsilon_is_a_failure() -> None:
    result, inputs, reference = run(2, epsilon=0.05)
    moved = (reference - inputs).abs().amax(1)
    inside = moved <= 0.05
    assert 0 < int(inside.sum()) < len(inside)
    assert torch.equal(result.success, inside)
    assert torch.equal(result.adversarial.flatten(1)[~inside], inputs[~inside])
    assert (result.distance[~inside] == 0).all()
