from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rogseg.engine.training.hooks import PlateauHook
from rogseg.registry import PARAM_SCHEDULERS


def runner_of(num_replays: int = 1) -> Any:
    loop = SimpleNamespace(
        history=[], stop_training=False, epoch=0, max_epochs=1000, validation=None,
        trainer=SimpleNamespace(num_replays=num_replays),
    )  # fmt: skip
    return SimpleNamespace(
        train_loop=loop,
        param_schedulers=None,
        optim_wrapper=SimpleNamespace(param_groups=[{"lr": 1.0}, {"lr": 0.1}]),
        is_resuming=True,
    )


def feed(hook: PlateauHook, runner: Any, losses: list[float]) -> list[float]:
    rates = []
    for loss in losses:
        runner.train_loop.history.append({"val_loss": loss})
        hook.after_train_epoch(runner)
        rates.append(runner.optim_wrapper.param_groups[0]["lr"])
    return rates


def test_the_rate_halves_after_the_patience_without_a_new_lowest_average() -> None:
    runner = runner_of()
    rates = feed(PlateauHook(window=2, patience=3), runner, [1.0, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9])
    # Averages: 1.0, 0.9, 0.85, 0.9, 0.9, 0.9, 0.9
    assert rates == [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    assert runner.optim_wrapper.param_groups[1]["lr"] == 0.05


def test_training_stops_where_the_rate_would_fall_under_a_sixteenth() -> None:
    runner = runner_of()
    hook = PlateauHook(window=1, patience=2)
    rates = feed(hook, runner, [1.0] * 10)
    assert rates[-1] == 1 / 16
    assert not runner.train_loop.stop_training
    feed(hook, runner, [1.0])
    assert runner.train_loop.stop_training
    assert runner.optim_wrapper.param_groups[0]["lr"] == 1 / 16


def test_the_patience_is_divided_by_the_replays() -> None:
    runner = runner_of(num_replays=5)
    assert feed(PlateauHook(window=1, patience=10), runner, [1.0] * 4) == [1.0, 1.0, 0.5, 0.5]


def test_the_patience_counts_epochs_that_measured_nothing() -> None:
    runner, hook, rates = runner_of(), PlateauHook(window=1, patience=4), []
    runner.train_loop.validation = SimpleNamespace(is_due=lambda epoch, _: epoch % 2 == 0)
    for epoch in range(9):
        runner.train_loop.epoch = epoch
        runner.train_loop.history.append({"val_loss": 1.0} if epoch % 2 == 0 else {"loss": 1.0})
        hook.after_train_epoch(runner)
        rates.append(runner.optim_wrapper.param_groups[0]["lr"])
    assert rates == [1.0] * 4 + [0.5] * 4 + [0.25]


@pytest.mark.parametrize(
    "schedule",
    [
        {"type": "OneCycle", "by_epoch": False, "end": 40},
        {"type": "OneCycleLR", "eta_max": 1.0, "total_steps": 40},
        {"type": "LinearLR", "by_epoch": False, "start_factor": 0.1, "end": 40},
        {"type": "CosineAnnealingLR", "by_epoch": False, "T_max": 5, "eta_min": 0.0},
        {"type": "CosineRestartLR", "by_epoch": False, "periods": [10, 30], "restart_weights": [1, 1], "eta_min": 0.0},
    ],
)
def test_a_schedule_by_iterations_goes_on_from_the_lower_rate(schedule: dict[str, Any]) -> None:
    """After the plateau its rates are half of those that it gives alone."""
    rates: dict[int, list[float]] = {}
    for patience in (1, 100):
        runner, hook = runner_of(), PlateauHook(window=1, patience=patience, min_scale=0.4)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = PARAM_SCHEDULERS.build({**schedule, "optimizer": optimizer})
        runner.optim_wrapper, runner.param_schedulers = optimizer, [scheduler]
        feed(hook, runner, [1.0, 1.0])
        rates[patience] = []
        for _ in range(30):
            optimizer.step()
            scheduler.step()
            rates[patience].append(optimizer.param_groups[0]["lr"])
    assert rates[1] == pytest.approx([rate / 2 for rate in rates[100]])


def test_the_state_is_in_the_checkpoint() -> None:
    losses = [1.0, 0.9, 0.95, 0.95, 0.95, 0.8, 0.85, 0.85, 0.85, 0.85]
    whole, runner = PlateauHook(window=2, patience=2), runner_of()
    expected = feed(whole, runner, losses)
    first, broken = PlateauHook(window=2, patience=2), runner_of()
    before = feed(first, broken, losses[:4])
    checkpoint: dict[str, Any] = {}
    first.before_save_checkpoint(broken, checkpoint)
    second = PlateauHook(window=2, patience=2)
    second.after_load_checkpoint(broken, checkpoint)
    assert before + feed(second, broken, losses[4:]) == expected
    with pytest.raises(ValueError, match="plateau"):
        second.after_load_checkpoint(broken, {})


def test_a_key_that_is_not_measured_is_named() -> None:
    runner = runner_of()
    runner.train_loop.history.append({"loss": 1.0})
    with pytest.raises(ValueError, match=r"'val_los'.*known are loss"):
        PlateauHook(monitor="val_los").after_train_epoch(runner)
