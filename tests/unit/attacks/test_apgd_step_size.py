import torch

from rogseg.attacks.apgd import StepSize


def run(losses: list[float], num_iterations: int, start: float, first: float | None = None) -> list[float]:
    """The step after each iterate, for one case."""
    best = torch.tensor([start])
    schedule = StepSize(num_iterations, 0.75, torch.tensor([start if first is None else first]), best)
    sizes = []
    for loss in losses:
        best = torch.maximum(best, torch.tensor([loss]))
        schedule.update(torch.tensor([loss]), best)
        sizes.append(float(schedule.size))
    return sizes


def test_checkpoints_of_a_hundred_iterations() -> None:
    """Intervals 22, 19, 16, 13, 10, 7, 6, 6: a loss that never rises is halved at each of them."""
    sizes = run([0.0] * 100, 100, start=1.0)
    changes = [index + 1 for index in range(1, 100) if sizes[index] != sizes[index - 1]]
    assert changes == [22, 41, 57, 70, 80, 87, 93, 99]
    assert sizes[-1] == 2.0 / 2**8


def test_a_rising_loss_keeps_its_step() -> None:
    assert run([float(index + 1) for index in range(50)], 50, start=0.0) == [2.0] * 50


def test_three_quarters_of_rises_do_not_suffice() -> None:
    """The first interval of 20 iterations is 4: three rises of four halve the step, four do not."""
    assert run([1.0, 2.0, 1.5, 3.0], 20, start=0.0)[-1] == 1.0
    assert run([1.0, 2.0, 2.5, 3.0], 20, start=0.0)[-1] == 2.0


def test_a_step_that_was_kept_is_halved_when_the_best_loss_stalls() -> None:
    """Rises that stay below an old best: condition 1 is content, condition 2 is not."""
    schedule = StepSize(5, 0.75, torch.tensor([0.0]), torch.tensor([0.0]))
    assert schedule.update(torch.tensor([5.0]), torch.tensor([5.0])).tolist() == [False]
    assert schedule.update(torch.tensor([6.0]), torch.tensor([6.0])).tolist() == [False]
    assert schedule.update(torch.tensor([6.5]), torch.tensor([6.0])).tolist() == [True]
    assert schedule.size.tolist() == [1.0]


def test_the_quirk_compares_the_first_loss_with_zero() -> None:
    assert run([1.5], 5, start=1.0, first=0.0) == [2.0]
    assert run([0.5], 5, start=1.0, first=0.0) == [2.0]
    assert run([0.5], 5, start=1.0) == [1.0]
