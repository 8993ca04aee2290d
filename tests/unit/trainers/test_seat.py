"""SEAT's rule, told by gradients of given length."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from rogseg.engine.training.epoch_meter import EpochMeter
from rogseg.registry import TRAINERS
from rogseg.trainers import FreeTrainer, SEATTrainer
from tests.unit.trainers.linear_model import LinearModel, make_batch, sgd, weights


def replays_after(gradients: list[float], **arguments: Any) -> list[int]:
    """The replays after each epoch, whose mean gradients are given."""
    trainer, replays = SEATTrainer(FreeTrainer(num_replays=1), **arguments), []
    for gradient in gradients:
        trainer.gradient_sum, trainer.gradient_count = torch.tensor(2 * gradient), torch.tensor(2.0)
        trainer.end_epoch()
        assert trainer.trainer.num_replays == trainer.num_replays == trainer.passes.training
        replays.append(trainer.num_replays)
    return replays


def test_the_third_epoch_adds_a_replay_and_the_fourth_sets_the_threshold() -> None:
    # 1.1 is the threshold: 1.09 is under it, 1.11 is above it and makes it 1.22, 1.3 is above that.
    grows = [9.0, 9.0, 9.0, 1.0, 9.0, 1.09, 9.0, 9.0, 1.11, 9.0, 9.0, 1.22, 9.0, 9.0, 1.3]
    assert replays_after(grows) == [1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4]


def test_replays_fall_under_the_band_and_never_below_two() -> None:
    # Thresholds: 1.1; after 2.0, 2.2; after 1.9, which is under 2.2 / 1.1, 2.09; under 1.9 there is nothing to take.
    gradients = [
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        2.0,
        1.0,
        1.0,
        2.1,
        1.0,
        1.0,
        1.9,
        1.0,
        1.0,
        1.8,
        1.0,
        1.0,
        2.0,
        1.0,
        1.0,
        2.1,
    ]
    after = replays_after(gradients)
    assert after[5::3] == [3, 3, 2, 2, 2, 3]


def test_replays_stop_at_the_largest() -> None:
    gradients = [2.0**epoch for epoch in range(30)]
    assert replays_after(gradients)[-1] == 5
    assert replays_after(gradients, max_replays=3)[-1] == 3
    assert replays_after(gradients, interval=2)[:4] == [1, 2, 2, 3]


def test_an_epoch_without_any_gradient_changes_nothing() -> None:
    trainer = SEATTrainer(FreeTrainer(num_replays=1), interval=1)
    for _ in range(3):
        trainer.end_epoch()
    assert trainer.num_replays == 2


def test_a_fourth_epoch_without_any_gradient_leaves_the_threshold_to_the_next() -> None:
    # The threshold of 1.1 is set by the fifth or seventh epoch, and the sixth or ninth is held against it.
    assert replays_after([9.0, 9.0, 9.0, math.nan, 1.0, 1.2])[-2:] == [2, 3]
    assert replays_after([9.0, 9.0, 9.0, math.nan, math.nan, math.nan, 1.0, 9.0, 1.2])[-3:] == [2, 2, 3]
    assert replays_after([9.0, 9.0, 9.0, math.nan, 1.0, 1.0])[-1] == 2


class Scaled(type(sgd(nn.Linear(1, 1)))):  # type: ignore[misc]
    """Scales the loss as float16 needs it."""

    def backward(self, loss: torch.Tensor) -> None:
        super().backward(loss * 1024)
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad /= 1024


def test_the_gradient_is_that_of_each_case_s_own_loss_whatever_it_is_scaled_by() -> None:
    batch = make_batch()
    batch.movable[:, :, 0] = False
    expected = torch.zeros(())
    for index in range(2):
        leaf = batch.inputs[index : index + 1].clone().requires_grad_()
        losses = LinearModel()(leaf, batch.targets[index : index + 1], mode="loss")
        assert isinstance(losses, dict)
        (gradient,) = torch.autograd.grad(losses["loss_ce"], leaf)
        expected += gradient[:, :, 1:].abs().sum() / 2
    for wrapper, counts in ((sgd, 1), (sgd, 2), (scaled, 1)):
        model = LinearModel()
        trainer = SEATTrainer(FreeTrainer(num_replays=1))
        logs = trainer.step(model, batch, wrapper(model, 0.0, counts))
        assert logs["input_gradient"].item() == pytest.approx(expected.item(), rel=1e-5)
        assert trainer.mean_gradient() == pytest.approx(expected.item(), rel=1e-5)
        assert logs["num_replays"] == 1


def scaled(model: nn.Module, learning_rate: float, accumulative_counts: int) -> Any:
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    return Scaled(optimizer, accumulative_counts=accumulative_counts)


def test_each_epoch_has_a_mean_of_its_own() -> None:
    trainer, model = SEATTrainer(FreeTrainer(num_replays=1)), LinearModel()
    trainer.step(model, make_batch(), sgd(model, 0.0))
    trainer.end_epoch()
    assert math.isnan(trainer.mean_gradient())


def test_steps_whose_gradient_overflowed_are_left_out() -> None:
    trainer, model = SEATTrainer(FreeTrainer(num_replays=1)), LinearModel()
    optim = sgd(model, 0.0)
    trainer.step(model, make_batch(), optim)
    mean = trainer.mean_gradient()
    trainer.trainer.step = lambda *arguments: {"loss": torch.ones(()), "input_gradient": torch.tensor(torch.inf)}  # type: ignore[method-assign]
    trainer.step(model, make_batch(), optim)
    assert trainer.mean_gradient() == mean


class Overflowing(type(sgd(nn.Linear(1, 1)))):  # type: ignore[misc]
    """Scales the loss so far that its gradients are infinite, and none where they meet."""

    def backward(self, loss: torch.Tensor) -> None:
        super().backward(loss * torch.inf)

    def step(self, **_: Any) -> None:
        """Left out, as loss scaling does."""


def test_steps_whose_gradient_is_no_number_are_left_out() -> None:
    trainer, model, meter = SEATTrainer(FreeTrainer(num_replays=1)), LinearModel(), EpochMeter()
    meter.add(trainer.step(model, make_batch(), sgd(model, 0.0)))
    mean = trainer.mean_gradient()
    logs = trainer.step(model, make_batch(), Overflowing(torch.optim.SGD(model.parameters(), lr=0.0)))
    meter.add(logs)
    assert logs["input_gradient"].isnan()
    assert trainer.mean_gradient() == mean
    assert meter.means()["input_gradient"] == pytest.approx(mean)


def test_two_replays_are_those_of_free_training() -> None:
    results = []
    for trainer in (SEATTrainer(FreeTrainer(num_replays=1), interval=1), FreeTrainer(num_replays=2)):
        model = LinearModel()
        trainer.end_epoch()
        for seed in range(3):
            trainer.step(model, make_batch(seed), sgd(model))
        results.append(weights(model))
    assert all(map(torch.equal, *results))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trainer": {"type": "FreeTrainer", "num_replays": 5}}, "num_replays=1"),
        ({"trainer": {"type": "StandardTrainer"}}, "FreeTrainer"),
        ({"max_replays": 1}, "max_replays=1"),
        ({"interval": 0}, "interval=0"),
        ({"tolerance": 0.9}, "tolerance=0.9"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRAINERS.build({"type": "SEATTrainer", **arguments})
