"""What each craft makes of a mini-batch, on a linear model."""

from typing import Any

import pytest
import torch

from rogseg.registry import TRAINERS
from rogseg.trainers import AdversarialTrainer
from rogseg.trainers.crafts import Craft, FGSMCraft, NFGSMCraft, PGDCraft
from rogseg.trainers.losses import TRADES
from tests.unit.trainers.linear_model import ascent_sign, make_batch, sgd
from tests.unit.trainers.recorder import Recorder

EPSILON = 0.1
WIDTH = torch.tensor([3.0, 5.0]).view(2, 1, 1, 1, 1)


def step(craft: Craft, furthest: float | None = None, **arguments: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """How far the first mini-batch moved, in epsilons, and what was logged; `furthest` keeps it from the box."""
    model, batch = Recorder(), make_batch()
    if furthest is not None:
        batch.inputs.clamp_(-furthest, furthest)
    logs = AdversarialTrainer(craft, epsilon=EPSILON, **arguments).step(model, batch, sgd(model))
    return (model.seen[-1][-2:] - batch.inputs) / (EPSILON * WIDTH), logs


@pytest.mark.parametrize("objective", [None, {"type": "Margin"}])
def test_pgd_reaches_the_closed_form_adversary_whatever_it_ascends(objective: dict[str, Any] | None) -> None:
    moved, _ = step(PGDCraft(num_iterations=4), objective=objective)
    batch = make_batch()
    expected = batch.box.clip(batch.inputs + EPSILON * WIDTH * ascent_sign(batch.targets)) - batch.inputs
    assert torch.allclose(moved * EPSILON * WIDTH, expected, atol=1e-6)


def test_an_objective_of_the_trainer_goes_before_that_of_the_loss() -> None:
    ascending, _ = step(PGDCraft(4, start="noise"), 0.3, loss=TRADES(), objective={"type": "CrossEntropy"})
    assert torch.allclose(ascending, ascent_sign(make_batch().targets).expand_as(ascending), atol=1e-5)
    diverging, _ = step(PGDCraft(4, start="noise"), 0.3, loss=TRADES())
    assert not torch.allclose(diverging, ascending, atol=0.5)


def test_pgd_from_the_clean_volume_moves_by_its_steps() -> None:
    moved, logs = step(PGDCraft(num_iterations=2, step_size=0.2, start="clean"), 0.3)
    assert torch.allclose(moved, 0.4 * ascent_sign(make_batch().targets), atol=1e-5)
    assert logs["delta_over_epsilon"].item() == pytest.approx(0.4, abs=1e-5)
    assert logs["share_at_surface"] == 0


def test_pgd_starts_at_random_or_at_a_little_noise() -> None:
    at_random, _ = step(PGDCraft(num_iterations=1, step_size=1e-4), 0.3)
    assert at_random.abs().max() > 0.9
    assert at_random.std().item() == pytest.approx(3**-0.5, rel=0.2)  # uniform in [-1, 1]
    noise, _ = step(PGDCraft(num_iterations=1, step_size=1e-4, start="noise"), 0.3)
    assert noise.std().item() == pytest.approx(0.001 / EPSILON, rel=0.3)  # of the box's width


def test_a_share_of_the_cases_stays_clean() -> None:
    model = Recorder()
    trainer, optim = AdversarialTrainer(PGDCraft(2, clean_fraction=0.3), epsilon=EPSILON), sgd(model)
    for seed in range(100):
        trainer.step(model, make_batch(seed), optim)
    clean = [
        torch.equal(volume, make_batch(seed).inputs[i])
        for seed, seen in enumerate(model.seen)
        for i, volume in enumerate(seen)
    ]
    assert 0.2 < sum(clean) / len(clean) < 0.4
    assert trainer.passes.crafting == pytest.approx(1.4)


def test_fgsm_takes_one_step_from_a_random_start() -> None:
    moved, _ = step(FGSMCraft(step_size=0.5), 0.3)
    start = moved - 0.5 * ascent_sign(make_batch().targets)
    inside = moved.abs() < 0.99
    assert (start[inside].abs() <= 1 + 1e-5).all()
    assert start[inside].std() > 0.3
    assert (~inside).any()  # where the step left the ball


def test_nfgsm_adds_noise_and_a_step_and_does_not_project_onto_the_ball() -> None:
    moved, logs = step(NFGSMCraft(), 0.1)
    noise = moved - ascent_sign(make_batch().targets)
    assert 1.7 < noise.abs().max() <= 2 + 1e-5
    assert noise.std().item() == pytest.approx(2 / 3**0.5, rel=0.2)  # uniform in [-2, 2]
    assert logs["delta_over_epsilon"] > 1


@pytest.mark.parametrize(
    ("craft", "message"),
    [
        ({"type": "PGDCraft", "num_iterations": 0}, "num_iterations=0"),
        ({"type": "PGDCraft", "step_size": 0.0}, "step_size=0.0"),
        ({"type": "PGDCraft", "start": "zero"}, "start='zero'"),
        ({"type": "PGDCraft", "clean_fraction": 1.0}, "StandardTrainer"),
        ({"type": "FGSMCraft", "step_size": 0.0}, "step_size=0.0"),
        ({"type": "NFGSMCraft", "noise": -1.0}, "noise=-1.0"),
        ({"type": "NFGSMCraft", "step_size": -1.0}, "step_size=-1.0"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(craft: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRAINERS.build({"type": "AdversarialTrainer", "craft": craft})
