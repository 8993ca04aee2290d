from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rogseg.attacks import Attack, AttackResult, DiceBelow, LinfThreat, Perturbation, Problem
from rogseg.attacks.counted_model import CountedModel, value_and_gradient
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-1.0], [1.0])
THREAT = LinfThreat.from_fraction(0.05, BOX)  # epsilon 0.1 [network units]


class Jump(Attack):
    """Adds a constant, which may leave ball and box, and sees what it is given."""

    def __init__(self, amount: float) -> None:
        super().__init__({"type": "CrossEntropy"})
        self.amount = amount
        self.seen_start: Tensor | None = None

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        self.seen_start = problem.start
        value_and_gradient(problem.model, self.objective, problem.inputs, problem.targets)
        return Perturbation(problem.inputs + self.amount)


def model(inputs: Tensor) -> Tensor:
    return torch.cat([-inputs, inputs], dim=1)


def attack(
    inputs: Tensor,
    targets: Tensor,
    *,
    network: Callable[[Tensor], Any] = model,
    amount: float = 5.0,
    threat: LinfThreat = THREAT,
    start: Tensor | None = None,
) -> AttackResult:
    return Jump(amount)(network, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator(), start=start)


INPUTS = torch.linspace(-1, 1, 8).reshape(1, 1, 2, 2, 2)
TARGETS = (INPUTS[:, 0] > 0).long()


def test_result_is_projected_and_evaluated_on_what_is_handed_back() -> None:
    result = attack(INPUTS, TARGETS)
    expected = (INPUTS + 0.1).clamp(-1, 1)
    assert torch.allclose(result.adversarial, expected)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(model(expected), TARGETS)
    assert float(result.loss) == pytest.approx(float(loss))
    assert float(result.distance) == pytest.approx(0.05)
    assert (result.num_forward, result.num_backward) == (2, 1)
    assert not result.adversarial.requires_grad
    assert result.dice.tolist() == [[1.0]]


def test_a_subclass_cannot_replace_the_call() -> None:
    with pytest.raises(TypeError, match="write perturb"):
        type("Rogue", (Jump,), {"__call__": lambda self: None})


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (INPUTS[0], TARGETS, r"inputs\[None\]"),
        (INPUTS[..., :0], TARGETS, "nothing empty"),
        (INPUTS.half(), TARGETS, r"inputs\.float\(\)"),
        (INPUTS / 0, TARGETS, "NaN or infinity"),
        (INPUTS * 1.001, TARGETS, "clip them first"),
        (INPUTS, TARGETS[:, None], "without a channel axis"),
        (INPUTS, TARGETS.float(), r"targets\.long\(\)"),
        (INPUTS, TARGETS - 1, "negative class"),
        (INPUTS, TARGETS * 2, "the model has 2 classes"),
        (INPUTS.expand(1, 3, 2, 2, 2).contiguous(), TARGETS, "logits of shape|the model has"),
    ],
)
def test_bad_input_names_the_remedy(inputs: Tensor, targets: Tensor, message: str) -> None:
    network = (lambda volume: volume[:, :1]) if inputs.ndim == 5 and inputs.shape[1] == 3 else model
    with pytest.raises(ValueError, match=message):
        attack(inputs, targets, network=network)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda inputs: (model(inputs), None), r"returned a tuple.*model\(inputs\)\[0\]"),
        (lambda inputs: {"out": model(inputs)}, "returned a dict"),
        (lambda inputs: model(inputs)[..., :1], "on the grid of the inputs"),
        (lambda inputs: model(inputs)[:, :1], "1 classes"),
        (lambda inputs: model(inputs) / 0, "not finite"),
    ],
)
def test_bad_models_name_the_remedy(network: Callable[[Tensor], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attack(INPUTS, TARGETS, network=network)


def test_threat_and_start_must_fit_the_batch() -> None:
    wide = IntensityBox.per_channel([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="does not fit inputs"):
        attack(INPUTS, TARGETS, threat=LinfThreat.from_fraction(0.05, wide))
    with pytest.raises(ValueError, match="start has shape"):
        attack(INPUTS, TARGETS, start=INPUTS[0])


def test_a_given_start_is_projected() -> None:
    jump = Jump(0.0)
    jump(model, INPUTS, TARGETS, THREAT, DiceBelow(0.5), generator=torch.Generator(), start=INPUTS + 9)
    assert jump.seen_start is not None
    assert torch.allclose(jump.seen_start, (INPUTS + 0.1).clamp(-1, 1))


def test_works_inside_inference_mode_and_with_double() -> None:
    with torch.inference_mode():
        result = attack(INPUTS.clone(), TARGETS.clone())
    assert torch.allclose(result.adversarial, (INPUTS + 0.1).clamp(-1, 1))
    assert attack(INPUTS.double(), TARGETS.int()).adversarial.dtype == torch.float64


def test_half_precision_logits_are_evaluated_in_float32() -> None:
    result = attack(INPUTS, TARGETS, network=lambda inputs: model(inputs).bfloat16())
    assert result.loss.dtype == torch.float32


def test_parameters_are_frozen_meanwhile_and_restored_after_an_error() -> None:
    module = nn.Conv3d(1, 2, 1)
    module.bias.requires_grad_(False)  # type: ignore[union-attr]
    seen: list[bool] = []

    def failing(inputs: Tensor) -> Tensor:
        seen.extend(parameter.requires_grad for parameter in module.parameters())
        raise ValueError("stop")

    module.forward = failing  # type: ignore[method-assign,assignment]
    with pytest.raises(ValueError, match="stop"):
        attack(INPUTS, TARGETS, network=module)
    assert seen == [False, False]
    assert [parameter.requires_grad for parameter in module.parameters()] == [True, False]


def test_backward_passes_are_counted_even_when_a_graph_is_used_twice() -> None:
    counted = CountedModel(model, 1)
    leaf = INPUTS.clone().requires_grad_()
    logits = counted(leaf)
    torch.autograd.grad(logits[:, 0].sum(), leaf, retain_graph=True)
    torch.autograd.grad(logits[:, 1].sum(), leaf)
    assert (counted.num_forward, counted.num_backward) == (1, 2)


def test_a_search_that_hands_back_a_bare_volume_is_told_how_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jump, "perturb", lambda _, problem, __: problem.inputs)
    with pytest.raises(ValueError, match=r"perturb of Jump gave a Tensor: .*return Perturbation\(volume\)"):
        attack(INPUTS, TARGETS)
