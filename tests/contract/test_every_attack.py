"""What holds for every attack of the registry."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rogseg.attacks import FGSM, AttackResult, DiceBelow, LinfThreat
from rogseg.registry import ATTACKS
from tests.contract import linear_cases
from tests.contract.attack_configs import CONTRACTS, NAMES, build, without_contract
from tests.contract.linear_cases import EPSILON, LinearSegmentor

Shape = tuple[int, int, tuple[int, int, int]]


def attacked(
    name: str,
    model: Any,
    inputs: Tensor,
    targets: Tensor,
    epsilon: float = EPSILON,
    thorough: bool = False,
    threshold: float = 0.3,
    support: Tensor | None = None,
) -> AttackResult:
    threat = CONTRACTS[name].threat.from_fraction(epsilon, linear_cases.box_of(inputs.shape[1]))
    threat = threat if support is None else threat.within(support)
    generator = torch.Generator().manual_seed(7)
    attack = build(name, thorough=thorough)
    return attack(model, inputs, targets, threat, DiceBelow(threshold), generator=generator)


def test_every_registered_attack_has_a_contract() -> None:
    assert not without_contract(), "give each an entry in CONTRACTS of tests/contract/attack_configs.py"
    assert set(NAMES) <= set(ATTACKS.module_dict)


def test_an_attack_without_a_contract_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    newcomer = type("Newcomer", (FGSM,), {"__module__": "rogseg.attacks.newcomer"})
    monkeypatch.setitem(ATTACKS.module_dict, "Newcomer", newcomer)
    assert without_contract() == ["Newcomer"]


@pytest.mark.parametrize("name", [name for name in NAMES if CONTRACTS[name].maximal])
def test_reaches_the_optimum_of_a_linear_model(name: str) -> None:
    model = LinearSegmentor(2, 2)
    inputs, targets = linear_cases.batch_of(2, 2, 2, (4, 3, 2))
    threat = LinfThreat.from_fraction(EPSILON, linear_cases.box_of(2))
    optimum = linear_cases.worst_of_two_classes(model, inputs, targets, threat)
    clean = linear_cases.margin_of_two_classes(model, inputs, targets)
    best = linear_cases.margin_of_two_classes(model, optimum, targets)
    result = attacked(name, model, inputs, targets, thorough=True)
    reached = linear_cases.margin_of_two_classes(model, result.adversarial, targets)
    share = (reached - clean) / (best - clean)
    assert (share >= 0.95).all(), share
    assert (share <= 1 + 1e-5).all(), share


@pytest.mark.parametrize("name", [name for name in NAMES if CONTRACTS[name].minimal_norm])
def test_minimal_norm_attacks_reach_the_shortest_distance(name: str) -> None:
    """Every voxel alike, so that all fall together at |margin| / (norm of the weights' difference times the width)."""
    model = LinearSegmentor(2, 2)
    box = linear_cases.box_of(2)
    inputs = (box.lower + 0.5 * box.width).expand(1, 2, 3, 3, 2).contiguous()
    targets = torch.ones(1, 3, 3, 2, dtype=torch.int64)
    with torch.no_grad():
        model.bias.copy_(torch.tensor([0.0, 1.0]))
        gap = (model(inputs)[0, 1] - model(inputs)[0, 0])[0, 0, 0]
        reach = ((model.weight[1] - model.weight[0]).abs() * box.width.flatten()).sum()
    shortest = float(gap / reach)
    assert 0 < shortest < 0.5
    result = attacked(name, model, inputs, targets, epsilon=1.2 * shortest, thorough=True)
    assert result.found_distance is not None
    assert bool(result.success)
    assert shortest * (1 - 1e-5) <= float(result.found_distance) <= shortest / 0.95
    missed = attacked(name, model, inputs, targets, epsilon=0.9 * shortest, thorough=True)
    assert not bool(missed.success)
    assert missed.found_distance is not None
    assert float(missed.found_distance) >= shortest * (1 - 1e-5)
    assert torch.equal(missed.adversarial, inputs) == CONTRACTS[name].all_or_nothing


@pytest.mark.parametrize("name", [name for name in NAMES if CONTRACTS[name].scale_free])
def test_logits_times_a_constant_give_the_same_dice(name: str) -> None:
    """The labels are the same, so an attack that finds another Dice has been fooled by the softmax."""
    inputs, _ = linear_cases.batch_of(2, 1, 3, (6, 6, 4))
    with torch.no_grad():
        targets = linear_cases.smooth_segmentor(inputs).argmax(1)
    dice = {
        scale: attacked(
            name,
            lambda volume, scale=scale: scale * linear_cases.smooth_segmentor(volume),
            inputs,
            targets,
            0.1,
            threshold=0.9,
        ).mean_dice
        for scale in (2.0**-10, 1.0, 2.0**13)
    }
    assert (dice[1.0] < 0.95).all()
    assert (dice[2.0**-10] - dice[1.0]).abs().max() <= 0.01
    assert (dice[2.0**13] - dice[1.0]).abs().max() <= 0.01


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", list(linear_cases.shapes()), ids=str)
def test_admissible_on_every_shape_and_the_same_seed_gives_the_same_result(name: str, shape: Shape) -> None:
    num_channels, num_classes, size = shape
    if num_classes < CONTRACTS[name].min_classes:
        pytest.skip(f"{name} needs {CONTRACTS[name].min_classes} classes")
    model = LinearSegmentor(num_channels, num_classes)
    inputs, targets = linear_cases.batch_of(2, num_channels, num_classes, size)
    result = attacked(name, model, inputs, targets)
    box = linear_cases.box_of(num_channels)
    assert float(result.distance.max()) <= EPSILON + 1e-6
    if CONTRACTS[name].threat is LinfThreat:
        moved = ((result.adversarial - inputs).double() / box.width).abs().amax()
        assert float(result.distance.max()) == pytest.approx(float(moved), abs=1e-6)
    assert ((result.adversarial >= box.lower) & (result.adversarial <= box.upper)).all()
    assert result.adversarial.shape == inputs.shape
    assert result.dice.shape == (2, num_classes - 1)
    assert (result.success.shape, result.loss.shape, result.distance.shape) == ((2,), (2,), (2,))
    again = attacked(name, model, inputs, targets)
    assert torch.equal(result.adversarial, again.adversarial)
    assert (result.num_forward, result.num_backward) == (again.num_forward, again.num_backward)


@pytest.mark.parametrize("name", NAMES)
def test_cases_fall_by_the_half_of_their_voxels_that_may_move(name: str) -> None:
    """Frozen voxels are neither moved nor a reason to hand back the clean volume."""
    inputs, _ = linear_cases.batch_of(2, 1, 3, (6, 6, 4))
    with torch.no_grad():
        targets = linear_cases.smooth_segmentor(inputs).argmax(1)
    support = torch.rand(2, 1, 6, 6, 4, generator=torch.Generator().manual_seed(5)) < 0.5
    result = attacked(
        name, linear_cases.smooth_segmentor, inputs, targets, 0.3,
        thorough=CONTRACTS[name].minimal_norm, threshold=0.9, support=support,
    )  # fmt: skip
    assert result.success.all()
    assert torch.equal(result.adversarial[~support], inputs[~support])
    assert (result.found_distance is not None) == CONTRACTS[name].minimal_norm
    if result.found_distance is not None:
        # What is told is the length of the very volume that is handed back, frozen voxels and all.
        assert result.found_distance.tolist() == pytest.approx(result.distance.tolist())


@pytest.mark.parametrize("name", NAMES)
def test_epsilon_zero_returns_the_input(name: str) -> None:
    inputs, targets = linear_cases.batch_of(2, 2, 4, (4, 4, 2))
    result = attacked(name, LinearSegmentor(2, 4), inputs, targets, epsilon=0.0)
    assert torch.equal(result.adversarial, inputs)
    assert (result.distance == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_leaves_the_model_as_it_was(name: str) -> None:
    model = LinearSegmentor(1, 4)
    before = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    inputs, targets = linear_cases.batch_of(1, 1, 4, (4, 4, 2))
    untouched = inputs.clone(), targets.clone()
    with torch.no_grad():
        attacked(name, model, inputs, targets)
        assert not torch.is_grad_enabled()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes == [True, False]
    assert {key: value.requires_grad for key, value in model.named_parameters()} == {"weight": True, "bias": False}
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(inputs, untouched[0])
    assert torch.equal(targets, untouched[1])
    assert not inputs.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_a_model_in_training_mode_is_attacked_in_evaluation_mode(name: str) -> None:
    """Batch norm would learn from the adversarial volumes, dropout would draw another network in each pass."""
    model = nn.Sequential(LinearSegmentor(1, 4), nn.BatchNorm3d(4), nn.Dropout(0.9)).train()
    inputs, targets = linear_cases.batch_of(2, 1, 4, (4, 4, 2))
    before = copy.deepcopy(model.state_dict())
    trained = attacked(name, lambda volume: model(volume), inputs, targets)
    assert model[1].training
    assert model[2].training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(trained.adversarial, attacked(name, model.eval(), inputs, targets).adversarial)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_that_is_not_finite_spoils_its_own_voxel_alone(name: str) -> None:
    linear = LinearSegmentor(1, 4)
    inputs, targets = linear_cases.batch_of(1, 1, 4, (4, 4, 2))

    def model(volume: Tensor) -> Tensor:
        return linear(Spoiling.apply(volume))  # type: ignore[no-untyped-call]

    spoilt = attacked(name, model, inputs, targets)
    assert spoilt.adversarial.isfinite().all()
    sound = attacked(name, linear, inputs, targets)
    assert sound.num_bad_gradients == 0
    assert spoilt.num_bad_gradients == spoilt.num_backward
    if sound.num_backward > 0 and CONTRACTS[name].maximal:
        assert not torch.equal(spoilt.adversarial[..., 1:], inputs[..., 1:])


@pytest.mark.parametrize("name", NAMES)
def test_logits_that_turn_bad_in_the_middle_are_refused(name: str) -> None:
    linear = LinearSegmentor(1, 4)
    inputs, targets = linear_cases.batch_of(1, 1, 4, (4, 4, 2))
    calls = []

    def model(volume: Tensor) -> Tensor:
        calls.append(1)
        return linear(volume) if len(calls) < 2 else linear(volume) * torch.nan

    with pytest.raises(ValueError, match="not finite at call"):
        attacked(name, model, inputs, targets)


@pytest.mark.parametrize("name", NAMES)
def test_mixes_cases_that_fall_at_once_and_cases_that_never_fall(name: str) -> None:
    """The first case is wrong from the start, the second has no foreground, the third is far from the boundary."""
    model = LinearSegmentor(1, 4)
    inputs, _ = linear_cases.batch_of(3, 1, 4, (4, 4, 3))
    with torch.no_grad():
        model.weight[:, 0] = torch.tensor([0.0, 0.1, -0.1, 0.02])
        model.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 5.0]))
    targets = torch.full((3, 4, 4, 3), 3)
    targets[0] = 1
    targets[1] = 0
    result = attacked(name, model, inputs, targets)
    assert result.success.tolist() == [True, False, False]
    assert float(result.mean_dice[0]) == 0
    assert bool(result.mean_dice[1].isnan())
    assert float(result.mean_dice[2]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_passes_are_counted(name: str) -> None:
    calls = {"forward": 0, "backward": 0}
    linear = LinearSegmentor(1, 4)

    def model(inputs: Tensor) -> Tensor:
        calls["forward"] += 1
        return Counting.apply(linear(inputs), calls)  # type: ignore[no-untyped-call]

    inputs, targets = linear_cases.batch_of(1, 1, 4, (4, 4, 2))
    result = attacked(name, model, inputs, targets)
    assert (result.num_forward, result.num_backward) == (calls["forward"], calls["backward"])


@pytest.mark.parametrize("name", [name for name in NAMES if CONTRACTS[name].black_box])
def test_black_box_attacks_never_call_autograd(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    linear = LinearSegmentor(2, 3)

    def model(inputs: Tensor) -> Tensor:
        assert not inputs.requires_grad
        with torch.no_grad():
            return linear(inputs)

    def forbidden(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a black-box attack called autograd")

    monkeypatch.setattr(torch.autograd, "grad", forbidden)
    monkeypatch.setattr(torch.Tensor, "backward", forbidden)
    inputs, targets = linear_cases.batch_of(2, 2, 3, (4, 4, 2))
    result = attacked(name, model, inputs, targets)
    assert result.num_backward == 0
    assert result.num_forward > 1


class Spoiling(torch.autograd.Function):
    """The identity whose gradient is NaN in the first voxel."""

    @staticmethod
    def forward(_: Any, volume: Tensor) -> Tensor:
        return volume.clone()

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        spoilt = gradients[0].clone()
        spoilt[..., 0, 0, 0] = torch.nan
        return spoilt


class Counting(torch.autograd.Function):
    """The identity that counts how often a gradient comes through."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, calls: dict[str, int]) -> Tensor:
        ctx.calls = calls
        return logits.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        ctx.calls["backward"] += 1
        return gradients[0], None
