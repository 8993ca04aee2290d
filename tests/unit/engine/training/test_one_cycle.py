import itertools

import pytest
import torch

from rogseg.engine.training.one_cycle import OneCycle


def rates_of(num_steps: int, rise: float = 0.05) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = OneCycle(optimizer, by_epoch=False, end=num_steps, rise=rise, first=0.1, last=0.01)
    rates = []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_the_rate_rises_to_the_optimizers_and_falls_linearly() -> None:
    rates = rates_of(20, rise=0.2)
    assert rates[:5] == pytest.approx([0.2, 0.65, 1.1, 1.55, 2.0])
    steps = [before - after for before, after in itertools.pairwise(rates[4:])]
    assert steps == pytest.approx([2.0 * 0.99 / 16] * 15)


@pytest.mark.parametrize("num_steps", [1, 2, 3, 20, 21])
def test_short_trainings_work(num_steps: int) -> None:
    rates = rates_of(num_steps)
    assert len(rates) == num_steps
    assert rates[0] == pytest.approx(0.2)
    assert all(0 < rate <= 2 for rate in rates)


def test_fractions_are_checked() -> None:
    with pytest.raises(ValueError, match="rise 2"):
        rates_of(3, rise=2)
