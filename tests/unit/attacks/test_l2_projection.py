import pytest
import torch
from torch import Tensor

from rogseg.attacks.threats.l2_threat import project_onto_ball_and_box


def by_bisection(delta: Tensor, radius: float, lower: Tensor, upper: Tensor) -> Tensor:
    """The same optimality conditions solved by halving, in float64."""
    small, large = 0.0, 1.0
    for _ in range(200):
        middle = (small + large) / 2
        inside = bool((delta * middle).clamp(lower, upper).norm() <= radius)
        small, large = (middle, large) if inside else (small, middle)
    return (delta * small).clamp(lower, upper)


@pytest.mark.parametrize("radius", [0.01, 0.7, 3.0, 8.0])
@pytest.mark.parametrize("spread", [0.1, 1.0, 30.0])
def test_agrees_with_bisection(radius: float, spread: float) -> None:
    generator = torch.Generator().manual_seed(0)
    delta = spread * torch.randn(3, 2, 4, 4, 4, generator=generator, dtype=torch.float64)
    lower = -torch.rand(delta.shape, generator=generator, dtype=torch.float64)
    upper = lower + 1
    projected = project_onto_ball_and_box(delta, torch.full((3,), radius, dtype=torch.float64), lower, upper)
    for case in range(3):
        expected = by_bisection(delta[case], radius, lower[case], upper[case])
        torch.testing.assert_close(projected[case], expected, rtol=0, atol=1e-9)


def test_is_closer_than_clipping_the_ball_projection() -> None:
    """What the reference attack does for L2 is admissible, but not the closest point."""
    delta, upper = torch.tensor([[4.0, 3.0]]), torch.tensor([[0.2, 2.0]])
    projected = project_onto_ball_and_box(delta, torch.ones(1, dtype=torch.float64), -upper, upper)
    torch.testing.assert_close(projected, torch.tensor([[0.2, 0.96**0.5]]))
    assert float((projected - delta).norm()) < float((torch.tensor([[0.2, 0.6]]) - delta).norm())


def test_radius_zero_and_nothing_to_do() -> None:
    delta = torch.tensor([[0.3, -0.1], [0.3, -0.1]])
    projected = project_onto_ball_and_box(
        delta, torch.tensor([0.0, 1.0], dtype=torch.float64), -torch.ones(2, 2), torch.ones(2, 2)
    )
    assert projected[0].tolist() == [0, 0]
    assert torch.equal(projected[1], delta[1])
