"""APGD against runs of the reference implementation, from given starts, on points as volumes of one voxel."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.threat_model import IntensityBox, LinfThreat
from tests.shared_data import shared_path


def point_network(data: dict[str, np.ndarray]) -> Callable[[Tensor], Tensor]:
    """f(x) = W2 tanh(W1 (x - 0.5) + b1) + b2 in matrix products."""
    w1, b1, w2, b2 = (torch.from_numpy(data[name]) for name in ("W1", "b1", "W2", "b2"))

    def model(volume: Tensor) -> Tensor:
        hidden = torch.tanh((volume.flatten(1) - 0.5) @ w1.T + b1)
        return (hidden @ w2.T + b2)[:, :, None, None, None]

    return model


@pytest.mark.parametrize("num_iterations", [5, 10, 20, 100])
@pytest.mark.parametrize("epsilon", [0.02, 0.08])
@pytest.mark.parametrize(("name", "objective"), [("ce", "CrossEntropy"), ("dlr", "DLR")])
def test_best_loss_and_point_agree_with_the_reference(
    name: str, objective: str, epsilon: float, num_iterations: int
) -> None:
    data = dict(np.load(shared_path("reference/autoattack_points.npz")))
    key = f"apgd_{name}_eps{epsilon}_n{num_iterations}"
    inputs = torch.from_numpy(data["x"])[:, :, None, None, None]
    targets = torch.from_numpy(data["y"])[:, None, None, None]
    attack = APGD({"type": objective}, num_iterations=num_iterations, first_check_against_zero=True)
    result = attack(
        point_network(data),
        inputs,
        targets,
        LinfThreat.from_fraction(epsilon, IntensityBox.per_channel([0.0], [1.0])),
        DiceBelow(0.5),
        generator=torch.Generator(),
        start=torch.from_numpy(data[f"{key}_init"])[:, :, None, None, None],
    )
    expected = data[f"{key}_loss_best"]
    np.testing.assert_array_less(np.abs(result.loss.numpy() - expected), 1e-5 * np.maximum(1, np.abs(expected)))
    np.testing.assert_allclose(result.adversarial.flatten(1).numpy(), data[f"{key}_x_best"], rtol=0, atol=1e-5)
    assert (result.num_forward, result.num_backward) == (num_iterations + 2, num_iterations)
