"""What holds for every trainer, craft and robust loss of the registries."""

import copy
import io
from typing import Any

import pytest
import torch
from mmengine.registry import Registry
from torch import Tensor
from torch.nn import functional

from rogseg.attacks import LinfThreat
from rogseg.cases import Batch
from rogseg.trainers import PerturbationNeverMovedError, StandardTrainer, Trainer, total_loss
from tests.contract.trainee import EPSILON, Recording, Trainee, batch_of, central_differences, weights
from tests.contract.trainer_contracts import CONTRACTS, REGISTRIES, without_contract

PERTURBING = [name for name, contract in CONTRACTS.items() if contract.perturbs]
SHAPES = [(1, 2, (4, 3, 2)), (2, 3, (3, 5, 1)), (4, 5, (2, 2, 3))]


def trained(name: str, model: Trainee, *, epsilon: float = EPSILON, num_steps: int = 1, rate: float = 0.05) -> Trainer:
    """The trainer after some mini-batches, an epoch each."""
    trainer, optim = CONTRACTS[name].build(epsilon), Recording(model, rate)
    for seed in range(num_steps):
        trainer.step(model, batch_of(seed), optim)
        trainer.end_epoch()
    return trainer


def trained_on(model: Trainee, size: int = 2) -> Tensor:
    """What the last training pass saw; where clean volumes go through the network beside them, they come first."""
    return model.seen[-1][0][-size:]


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_registered_one_has_a_contract(kind: str) -> None:
    missing = without_contract(REGISTRIES[kind], CONTRACTS)
    assert not missing, f"give each {kind} of {sorted(missing)} an entry in tests/contract/trainer_contracts.py"


def test_a_new_one_without_a_contract_is_found() -> None:
    registry = Registry("new", locations=[])
    registry.register_module("Unheard", module=type("Unheard", (), {"__module__": "rogseg.trainers.unheard"}))
    registry.register_module("Foreign", module=type("Foreign", (), {"__module__": "somebody.else"}))
    assert without_contract(registry, CONTRACTS) == {"Unheard"}


@pytest.mark.parametrize("name", PERTURBING)
def test_goes_towards_the_known_optimum_of_a_linear_model(name: str) -> None:
    model, batch, trainer = Trainee(), batch_of(), CONTRACTS[name].build(EPSILON)
    for _ in range(3):  # where a perturbation is kept, the first mini-batch is trained on as it is
        trainer.step(model, batch, Recording(model, 1e-6))
    threat = LinfThreat.from_fraction(EPSILON, batch.box)
    ends = [threat.project(batch.inputs, batch.inputs + side * threat.epsilon) for side in (1, -1)]
    seeks = margin if CONTRACTS[name].seeks == "margin" else divergence
    best = torch.maximum(*(seeks(model, batch, end) for end in ends)).sum()  # voxel by voxel, the better end
    clean, reached = (seeks(model, batch, volume).sum() for volume in (batch.inputs, trained_on(model)))
    share = float((reached - clean) / (best - clean))
    assert share >= CONTRACTS[name].share - 1e-5
    assert share <= 1 + 1e-5 or CONTRACTS[name].radius > 1


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_trains_inside_box_and_ball_whatever_channels_and_classes(
    name: str, shape: tuple[int, int, tuple[int, int, int]]
) -> None:
    num_channels, num_classes, size = shape
    model = Trainee(num_channels, num_classes)
    trainer, optim = CONTRACTS[name].build(EPSILON), Recording(model, 0.05)
    for seed in range(3):
        batch = batch_of(seed, num_channels, num_classes, size)
        first = len(model.seen)
        trainer.step(model, batch, optim)
        threat = LinfThreat.from_fraction(EPSILON * CONTRACTS[name].radius, batch.box)
        for inputs, _ in model.seen[first:]:
            threat.assert_admissible(batch.inputs, inputs[-2:])
        trainer.end_epoch()
    assert torch.equal(trained_on(model), batch.inputs) is (not CONTRACTS[name].perturbs)


@pytest.mark.parametrize("name", CONTRACTS)
def test_padding_is_never_perturbed(name: str) -> None:
    model, batch = Trainee(), batch_of()
    batch.movable[:, :, 0] = False
    trainer, optim = CONTRACTS[name].build(EPSILON), Recording(model, 0.05)
    for _ in range(3):
        trainer.step(model, batch, optim)
        trainer.end_epoch()
    for inputs, _ in model.seen:
        for volumes in torch.split(inputs, 2):
            assert torch.equal(volumes[:, :, 0], batch.inputs[:, :, 0])
    moved = trained_on(model)[:, :, 1:] != batch.inputs[:, :, 1:]
    assert moved.any() == CONTRACTS[name].perturbs


@pytest.mark.parametrize("name", CONTRACTS)
def test_weights_get_exactly_the_gradient_of_the_losses_it_claims(name: str) -> None:
    """Differences of values know nothing of what a loss detaches."""
    model, rate = Trainee(2, 3), 0.5
    trainer, optim = CONTRACTS[name].build(EPSILON), Recording(model, rate)
    batch = batch_of(0, 2, 3)
    for _ in range(2):
        trainer.step(model, batch, optim)
    assert len(optim.updates) == 2 * trainer.num_replays
    probe = Trainee(2, 3)
    for before, after, num_seen in optim.updates:
        inputs, met = model.seen[num_seen - 1]
        crafted = inputs[-2:]
        claimed = central_differences(lambda c=crafted: total_loss(trainer.losses(probe, batch, c))[0], probe, met)
        for old, new, gradient in zip(before, after, claimed, strict=True):
            error = ((old - new) / rate - gradient).norm() / gradient.norm()
            assert error < 0.01


@pytest.mark.parametrize("name", CONTRACTS)
def test_passes_claimed_are_passes_made(name: str) -> None:
    model, num_steps = Trainee(), 60 if CONTRACTS[name].is_passes_mean else 3
    trainer, optim, claimed = CONTRACTS[name].build(EPSILON), Recording(model, 0.05), [0.0, 0.0]
    for seed in range(num_steps):
        claimed = [claimed[0] + trainer.passes.training, claimed[1] + trainer.passes.crafting]
        trainer.step(model, batch_of(seed), optim)
        trainer.end_epoch()
    made = [model.passes["training"] / 2, model.passes["crafting"] / 2]
    assert made == pytest.approx(claimed, rel=0.2 if CONTRACTS[name].is_passes_mean else 0)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(name: str) -> None:
    model, whole = Trainee(), CONTRACTS[name].build(EPSILON)
    optim = Recording(model, 0.05)
    for seed in range(8):
        if seed == 5:  # in the middle of an epoch of two mini-batches
            resumed_model, resumed, file = copy.deepcopy(model), CONTRACTS[name].build(EPSILON), io.BytesIO()
            torch.save(whole.state_dict(), file)
            file.seek(0)
            resumed.load_state_dict(torch.load(file, weights_only=True))
            resumed_optim = Recording(resumed_model, 0.05)
        for one, its_model, its_optim in [(whole, model, optim)] + (
            [(resumed, resumed_model, resumed_optim)] if seed >= 5 else []
        ):
            one.step(its_model, batch_of(seed), its_optim)
            if seed % 2:
                one.end_epoch()
    assert all(map(torch.equal, weights(model), weights(resumed_model)))
    assert str(whole.state_dict()) == str(resumed.state_dict())


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_state_of_another_trainer_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"not a state of|another trainer"):
        CONTRACTS[name].build(EPSILON).load_state_dict({"unheard": 1})


@pytest.mark.parametrize("name", [name for name in CONTRACTS if CONTRACTS[name].standard_at_zero != "no"])
def test_epsilon_zero_is_standard_training(name: str) -> None:
    model, reference = Trainee(), Trainee()
    reference.load_state_dict(model.state_dict())
    trainer = CONTRACTS[name].build(0.0)
    optim, reference_optim = Recording(model, 0.05), Recording(reference, 0.05)
    for seed in range(3):
        trainer.step(model, batch_of(seed), optim)
        for _ in range(trainer.num_replays):
            StandardTrainer().step(reference, batch_of(seed), reference_optim)
    is_same = torch.equal if CONTRACTS[name].standard_at_zero == "bitwise" else torch.allclose
    assert all(map(is_same, weights(model), weights(reference)))


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_same_seed_gives_the_same_weights_and_only_the_trainer_draws(name: str) -> None:
    results = []
    for seed in (1, 2):
        torch.manual_seed(0)
        model = Trainee()
        torch.manual_seed(seed)  # of the global generator, which no trainer may use
        trained(name, model, num_steps=4)
        results.append(weights(model))
        assert torch.initial_seed() == seed
    assert all(map(torch.equal, *results))


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_model_stays_in_training_mode_and_logs_are_detached_scalars(name: str) -> None:
    model = Trainee()
    trainer, optim = CONTRACTS[name].build(EPSILON), Recording(model, 0.1)
    logs = [trainer.step(model, batch_of(), optim) for _ in range(30)]
    assert all(module.training for module in model.modules())
    assert all(value.ndim == 0 and not value.requires_grad for step in logs for value in step.values())
    assert sum(step["loss"].item() for step in logs[-5:]) < sum(step["loss"].item() for step in logs[:5])


@pytest.mark.parametrize("name", PERTURBING)
def test_a_model_without_input_gradient_is_an_error(name: str) -> None:
    class Blind(Trainee):
        def forward(self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor") -> Any:
            return super().forward(inputs * 0, targets, mode)

    with pytest.raises(PerturbationNeverMovedError, match="standard training"):
        trained(name, Blind(), num_steps=40)


def margin(model: Trainee, batch: Batch, volume: Tensor) -> Tensor:
    """Wrong minus true logit of two classes, (B, D, H, W)."""
    with torch.no_grad():
        logits = model.layer(volume)
    return (logits[:, 1] - logits[:, 0]) * (1 - 2 * batch.targets)


def divergence(model: Trainee, batch: Batch, volume: Tensor) -> Tensor:
    """KL of the clean prediction from another one, (B, D, H, W)."""
    with torch.no_grad():
        clean, other = (functional.softmax(model.layer(one), dim=1) for one in (batch.inputs, volume))
    return (clean * (clean / other).log()).sum(dim=1)
