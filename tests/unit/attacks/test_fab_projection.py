import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize

from rogseg.attacks.fab.hyperplane import project_onto_hyperplane

SHAPE = (2, 3, 2, 1)


def random_problem(seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    point = torch.rand(1, *SHAPE, generator=generator, dtype=torch.float64)
    normal = torch.randn(1, *SHAPE, generator=generator, dtype=torch.float64)
    unit = torch.tensor([1.0, 3.0], dtype=torch.float64).view(1, 2, 1, 1, 1)
    return point, normal, unit, torch.tensor([0.7], dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
def test_linf_move_is_the_optimum_of_the_linear_program(seed: int) -> None:
    point, normal, unit, residual = random_problem(seed)
    move = project_onto_hyperplane(residual, normal, -point, unit - point, unit)
    weights, start = normal.flatten().numpy(), point.flatten().numpy()
    units = unit.expand(1, *SHAPE).flatten().numpy()
    size = len(weights)
    # Smallest r with |d| <= r * unit, on the hyperplane, in the box.
    slack = np.vstack([np.hstack([np.eye(size), -units[:, None]]), np.hstack([-np.eye(size), -units[:, None]])])
    best = linprog(
        np.append(np.zeros(size), 1.0),
        A_ub=slack,
        b_ub=np.zeros(2 * size),
        A_eq=np.append(weights, 0.0)[None],
        b_eq=[-0.7],
        bounds=[*zip(-start, units - start, strict=True), (0, None)],
    )
    assert float((move / unit).abs().max()) == pytest.approx(best.fun, abs=1e-9)
    assert float((move * normal).sum()) == pytest.approx(-0.7, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_l2_move_is_the_nearest_point(seed: int) -> None:
    point, normal, unit, residual = random_problem(seed)
    move = project_onto_hyperplane(residual, normal, -point, unit - point, normal.abs() * unit**2)
    weights, start = normal.flatten().numpy(), point.flatten().numpy()
    units = unit.expand(1, *SHAPE).flatten().numpy()
    best = minimize(
        lambda d: float(((d / units) ** 2).sum()),
        np.zeros(len(weights)),
        bounds=list(zip(-start, units - start, strict=True)),
        constraints={"type": "eq", "fun": lambda d: weights @ d + 0.7},
        options={"ftol": 1e-14},
    )
    assert float(((move / unit) ** 2).sum()) == pytest.approx(best.fun, rel=1e-5)
    assert float((move * normal).sum()) == pytest.approx(-0.7, abs=1e-9)


def test_unreachable_hyperplane_ends_in_the_nearest_corner() -> None:
    point, normal, unit, _ = random_problem(0)
    move = project_onto_hyperplane(torch.tensor([1e3]), normal, -point, unit - point, unit)
    assert torch.equal(move, torch.where(normal > 0, -point, unit - point))


def test_zero_gradient_and_zero_residual_move_nothing() -> None:
    point, normal, unit, residual = random_problem(0)
    for gradient, value in ((torch.zeros_like(normal), residual), (normal, torch.zeros(1))):
        move = project_onto_hyperplane(value, gradient, -point, unit - point, unit)
        assert float(move.abs().max()) == 0.0


def test_rows_do_not_touch_each_other() -> None:
    problems = [random_problem(seed) for seed in range(3)]
    point, normal = (torch.cat([problem[index] for problem in problems]) for index in (0, 1))
    unit, residual = problems[0][2], torch.tensor([0.7, 100.0, -0.1])
    together = project_onto_hyperplane(residual, normal, -point, unit - point, unit)
    for row in range(3):
        part = slice(row, row + 1)
        alone = project_onto_hyperplane(residual[part], normal[part], -point[part], unit - point[part], unit)
        assert torch.allclose(together[part], alone, atol=1e-12)
