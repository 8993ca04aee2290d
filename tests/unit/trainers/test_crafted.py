"""What holds for every trainer that crafts its mini-batch, and what each one crafts on a linear model."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.threats import LinfThreat
from rogseg.cases import IntensityBox
from rogseg.registry import TRAINERS
from rogseg.trainers import (
    AWPTrainer,
    FGSMTrainer,
    FreeTrainer,
    NFGSMTrainer,
    Passes,
    PerturbationNeverMovedError,
    PGDTrainer,
    StandardTrainer,
    TRADESTrainer,
    Trainer,
)
from tests.unit.trainers.linear_model import LinearModel, SmallNetwork, ascent_sign, make_batch, sgd, weights
from tests.unit.trainers.recorder import Recorder

EPSILON = 0.1
WIDTH = torch.tensor([3.0, 5.0]).view(2, 1, 1, 1, 1)
CRAFTING: list[dict[str, Any]] = [
    {"type": "PGDTrainer", "num_iterations": 3},
    {"type": "PGDTrainer", "num_iterations": 2, "clean_fraction": 0.5},
    {"type": "FGSMTrainer"},
    {"type": "NFGSMTrainer"},
    {"type": "TRADESTrainer", "num_iterations": 3},
]
EVERY = [
    *CRAFTING,
    {"type": "AWPTrainer", "trainer": {"type": "PGDTrainer", "num_iterations": 2}, "num_warmup_steps": 1},
]


def build(config: dict[str, Any]) -> Trainer:
    trainer: Trainer = TRAINERS.build(copy.deepcopy(config))
    return trainer


@pytest.mark.parametrize("config", EVERY)
def test_a_resumed_run_equals_an_uninterrupted_one(config: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model, whole = SmallNetwork(), build(config)
    optim = sgd(model)
    for seed in range(4):
        if seed == 2:
            resumed_model, resumed = copy.deepcopy(model), build(config)
            resumed_optim = sgd(resumed_model)
            resumed_optim.load_state_dict(copy.deepcopy(optim.state_dict()))
            resumed.load_state_dict(whole.state_dict())
        whole.step(model, make_batch(seed), optim)
    for seed in (2, 3):
        resumed.step(resumed_model, make_batch(seed), resumed_optim)
    assert all(map(torch.equal, weights(model), weights(resumed_model)))


@pytest.mark.parametrize("config", EVERY)
def test_training_goes_on_in_training_mode_and_the_loss_falls(config: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model, trainer = SmallNetwork(), build({**config})
    optim = sgd(model, 0.1)
    logs = [trainer.step(model, make_batch(), optim) for _ in range(30)]
    assert model.training
    assert all(module.training for module in model.modules())
    assert sum(step["loss"].item() for step in logs[-5:]) < sum(step["loss"].item() for step in logs[:5])
    assert logs[-1]["delta_over_epsilon"] >= 0


@pytest.mark.parametrize("config", CRAFTING)
def test_a_model_without_input_gradient_is_an_error(config: dict[str, Any]) -> None:
    class Blind(LinearModel):
        def forward(self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor") -> Any:
            return super().forward(inputs * 0, targets, mode)

    model, trainer = Blind(), build(config)
    optim = sgd(model)
    with pytest.raises(PerturbationNeverMovedError, match="standard training"):  # noqa: PT012
        for seed in range(40):
            trainer.step(model, make_batch(seed), optim)


@pytest.mark.parametrize("config", CRAFTING)
def test_what_is_trained_on_lies_in_the_box_and_where_promised_in_the_ball(config: dict[str, Any]) -> None:
    model, batch = Recorder(), make_batch()
    build({**config, "epsilon": EPSILON}).step(model, batch, sgd(model))
    radius = 3 * EPSILON if config["type"] == "NFGSMTrainer" else EPSILON
    threat = LinfThreat.from_fraction(radius, IntensityBox(batch["box_lower"], batch["box_upper"]))
    threat.assert_admissible(batch["inputs"], model.seen[-1][-2:])


@pytest.mark.parametrize("config", CRAFTING)
def test_padding_stays_as_it_is(config: dict[str, Any]) -> None:
    model, batch = Recorder(), make_batch()
    batch["inside"][:, :, 0] = False
    build({**config, "epsilon": EPSILON}).step(model, batch, sgd(model))
    trained_on = model.seen[-1][-2:]
    assert torch.equal(trained_on[:, :, 0], batch["inputs"][:, :, 0])
    assert (trained_on[:, :, 1:] != batch["inputs"][:, :, 1:]).any()


def test_pgd_reaches_the_closed_form_adversary() -> None:
    model, batch = Recorder(), make_batch()
    PGDTrainer(epsilon=EPSILON, num_iterations=4).step(model, batch, sgd(model))
    move = EPSILON * WIDTH * ascent_sign(batch["targets"])
    expected = (batch["inputs"] + move).clamp(batch["box_lower"], batch["box_upper"])
    assert torch.allclose(model.seen[0], expected, atol=1e-6)


def test_pgd_without_random_start_moves_by_its_steps() -> None:
    model, batch = Recorder(), make_batch()
    batch["inputs"].clamp_(-0.3, 0.3)
    trainer = PGDTrainer(epsilon=EPSILON, num_iterations=2, step_size=0.2, random_start=False)
    logs = trainer.step(model, batch, sgd(model))
    assert torch.allclose(
        model.seen[0], batch["inputs"] + 0.4 * EPSILON * WIDTH * ascent_sign(batch["targets"]), atol=1e-6
    )
    assert logs["delta_over_epsilon"].item() == pytest.approx(0.4, abs=1e-5)
    assert logs["share_at_surface"] == 0


def test_pgd_ascends_any_objective() -> None:
    model, batch = Recorder(), make_batch()
    PGDTrainer(epsilon=EPSILON, num_iterations=4, objective={"type": "Margin"}).step(model, batch, sgd(model))
    move = EPSILON * WIDTH * ascent_sign(batch["targets"])
    expected = (batch["inputs"] + move).clamp(batch["box_lower"], batch["box_upper"])
    assert torch.allclose(model.seen[0], expected, atol=1e-6)


def test_a_share_of_the_cases_stays_clean_and_costs_nothing() -> None:
    model = Recorder()
    trainer, optim = PGDTrainer(epsilon=EPSILON, num_iterations=2, clean_fraction=0.3), sgd(model)
    for seed in range(100):
        trainer.step(model, make_batch(seed), optim)
    clean = [
        torch.equal(volume, make_batch(seed)["inputs"][i])
        for seed, seen in enumerate(model.seen)
        for i, volume in enumerate(seen)
    ]
    assert 0.2 < sum(clean) / len(clean) < 0.4
    assert trainer.passes_per_step == pytest.approx(2.4)


def test_fgsm_takes_one_step_from_a_random_start() -> None:
    model, batch = Recorder(), make_batch()
    batch["inputs"].clamp_(-0.3, 0.3)
    FGSMTrainer(epsilon=EPSILON, step_size=0.5).step(model, batch, sgd(model))
    start = (model.seen[0] - batch["inputs"]) / (EPSILON * WIDTH) - 0.5 * ascent_sign(batch["targets"])
    inside = (model.seen[0] - batch["inputs"]).abs() < 0.99 * EPSILON * WIDTH
    assert (start[inside].abs() <= 1 + 1e-5).all()
    assert start[inside].std() > 0.3
    assert (~inside).any()  # where the step left the ball


def test_nfgsm_adds_noise_and_a_step_and_does_not_project_onto_the_ball() -> None:
    model, batch = Recorder(), make_batch()
    batch["inputs"].clamp_(-0.1, 0.1)
    logs = NFGSMTrainer(epsilon=EPSILON).step(model, batch, sgd(model))
    noise = (model.seen[0] - batch["inputs"]) / (EPSILON * WIDTH) - ascent_sign(batch["targets"])
    assert noise.abs().max() <= 2 + 1e-5
    assert noise.abs().max() > 1.7
    assert noise.std().item() == pytest.approx(2 / 3**0.5, rel=0.2)  # uniform in [-2, 2]
    assert logs["delta_over_epsilon"] > 1


def test_trades_loss_is_clean_loss_and_weighted_divergence_per_voxel() -> None:
    model, batch = LinearModel(), make_batch()
    adversarial = batch["inputs"] + 0.1
    losses = TRADESTrainer(beta=4.0).losses(model, batch, adversarial)
    clean, other = model.layer(batch["inputs"]), model.layer(adversarial)
    p, q = clean.softmax(1), other.softmax(1)
    expected = 4 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(losses["loss_divergence"], expected, rtol=1e-4)
    assert torch.allclose(losses["loss_ce"], F.cross_entropy(clean, batch["targets"]))
    assert set(losses) == {"loss_ce", "loss_divergence"}


def test_trades_diverges_as_far_as_the_ball_goes() -> None:
    model, batch = Recorder(), make_batch()
    batch["inputs"].clamp_(-0.3, 0.3)
    logs = TRADESTrainer(epsilon=EPSILON).step(model, batch, sgd(model))
    assert logs["share_at_surface"] == 1
    assert torch.equal(model.seen[1][:2], batch["inputs"])  # clean and adversarial go through the network together


@pytest.mark.parametrize(
    ("trainer", "passes"),
    [(PGDTrainer(), 8), (FGSMTrainer(), 2), (NFGSMTrainer(), 2), (TRADESTrainer(), 13), (AWPTrainer(PGDTrainer()), 9)],
)
def test_passes_are_counted(trainer: Trainer, passes: float) -> None:
    assert trainer.passes_per_step == passes
    assert trainer.num_replays == 1


@pytest.mark.parametrize(
    ("trainer", "passes"),
    [
        (StandardTrainer(), Passes(1)),
        (FreeTrainer(num_replays=5), Passes(5)),
        (NFGSMTrainer(), Passes(1, crafting=1)),
        (PGDTrainer(num_iterations=7), Passes(1, crafting=7)),
        (TRADESTrainer(num_iterations=10), Passes(3, crafting=10)),
        (AWPTrainer(PGDTrainer(num_iterations=7)), Passes(2, crafting=7)),
    ],
)
def test_passes_are_told_by_kind(trainer: Trainer, passes: Passes) -> None:
    assert trainer.passes == passes
    assert trainer.passes_per_step == passes.training + passes.crafting


def test_awp_applies_the_gradient_of_moved_weights_to_the_weights_as_they_were() -> None:
    torch.manual_seed(0)
    model, batch = SmallNetwork(), make_batch()
    before = copy.deepcopy(model)
    AWPTrainer(PGDTrainer(epsilon=0.0), gamma=0.1).step(model, batch, sgd(model, 0.5))

    def gradients(module: SmallNetwork) -> list[Tensor]:
        losses = module(batch["inputs"], batch["targets"], mode="loss")
        assert isinstance(losses, dict)
        return list(torch.autograd.grad(losses["loss_ce"], list(module.parameters())))

    moved = copy.deepcopy(before)
    directions = gradients(before)
    with torch.no_grad():
        for parameter, gradient in zip(moved.parameters(), directions, strict=True):
            if parameter.ndim > 1:
                parameter.add_(0.1 * parameter.norm() * gradient / gradient.norm())
    for after, old, gradient in zip(weights(model), weights(before), gradients(moved), strict=True):
        assert torch.allclose(after, old - 0.5 * gradient, atol=1e-6)


def test_awp_waits_for_its_warmup() -> None:
    results = []
    for trainer in (AWPTrainer(PGDTrainer(), num_warmup_steps=2), PGDTrainer()):
        torch.manual_seed(0)
        model = SmallNetwork()
        optim = sgd(model)
        for seed in range(2):
            trainer.step(model, make_batch(seed), optim)
        results.append(weights(model))
    assert all(map(torch.equal, *results))


def test_awp_accumulates_like_a_plain_update() -> None:
    model = SmallNetwork()
    trainer, optim, before = AWPTrainer(FGSMTrainer()), sgd(model, 0.1, accumulative_counts=2), weights(model)
    trainer.step(model, make_batch(0), optim)
    assert all(map(torch.equal, before, weights(model)))
    trainer.step(model, make_batch(1), optim)
    assert not any(map(torch.equal, before, weights(model)))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"type": "PGDTrainer", "num_iterations": 0}, "num_iterations=0"),
        ({"type": "PGDTrainer", "clean_fraction": 1.0}, "StandardTrainer"),
        ({"type": "FGSMTrainer", "step_size": 0.0}, "step_size=0.0"),
        ({"type": "NFGSMTrainer", "noise": -1.0}, "noise=-1.0"),
        ({"type": "TRADESTrainer", "beta": 0.0}, "beta=0.0"),
        ({"type": "AWPTrainer", "trainer": {"type": "FreeTrainer"}}, "FreeTrainer crafts no"),
        ({"type": "AWPTrainer", "trainer": {"type": "PGDTrainer"}, "gamma": 0.0}, "gamma=0.0"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(config)


def test_the_state_of_another_trainer_is_refused() -> None:
    with pytest.raises(ValueError, match="PGDTrainer"):
        PGDTrainer().load_state_dict({"num_steps": 1, "num_still": 0, "kept": None})
