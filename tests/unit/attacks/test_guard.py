"""Nothing that a search does to what it was given changes what its result is held to."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rogseg.attacks import FGSM, Attack, DiceBelow, LinfThreat, Perturbation, Problem, RegionModel, Square
from rogseg.attacks.model_state import modules_behind
from rogseg.cases import IntensityBox
from rogseg.inference import RegionVolumeLogits, VolumeLogits

BOX = IntensityBox.per_channel([-1.0], [1.0])
INPUTS = torch.linspace(-0.5, 0.5, 8).reshape(1, 1, 2, 2, 2)
TARGETS = (INPUTS[:, 0] > 0).long()


def model(inputs: Tensor) -> Tensor:
    return torch.cat([-inputs, inputs], dim=1)


class Cheat(Attack):
    """Does something to the problem and hands back a volume that it should not."""

    def __init__(self, cheat: Callable[[Problem], Tensor]) -> None:
        super().__init__({"type": "CrossEntropy"})
        self.cheat = cheat

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        return Perturbation(self.cheat(problem))


def edits_inputs(problem: Problem) -> Tensor:
    return problem.inputs.sub_(0.45)


def widens_the_ball(problem: Problem) -> Tensor:
    problem.threat.epsilon.mul_(100)
    return problem.inputs - 0.45


def widens_the_box(problem: Problem) -> Tensor:
    problem.threat.box.lower.sub_(100)
    problem.threat.epsilon.mul_(100)
    return problem.inputs - 50


def widens_the_support(problem: Problem) -> Tensor:
    assert problem.threat.support is not None
    problem.threat.support.fill_(True)
    return problem.inputs - 0.45


@pytest.mark.parametrize("cheat", [edits_inputs, widens_the_ball, widens_the_box, widens_the_support])
def test_editing_the_problem_in_place_gains_nothing(cheat: Callable[[Problem], Tensor]) -> None:
    support = torch.ones_like(INPUTS, dtype=torch.bool)
    support[..., 0] = False
    threat = LinfThreat.from_fraction(0.05, BOX).within(support)
    inputs, targets = INPUTS.clone(), TARGETS.clone()
    result = Cheat(cheat)(model, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator())
    assert torch.equal(inputs, INPUTS)
    assert torch.allclose(result.adversarial, torch.where(support, INPUTS - 0.1, INPUTS))
    assert float(result.distance) == pytest.approx(0.05)


def test_editing_the_targets_in_place_does_not_change_the_dice() -> None:
    def cheat(problem: Problem) -> Tensor:
        problem.targets.copy_(1 - problem.targets)
        return problem.inputs

    result = Cheat(cheat)(
        model, INPUTS, TARGETS, LinfThreat.from_fraction(0.05, BOX), DiceBelow(0.5), generator=torch.Generator()
    )
    assert result.mean_dice.tolist() == [1.0]
    assert not bool(result.success)


@dataclass(frozen=True)
class BrokenThreat(LinfThreat):
    """A threat model whose projection lets everything pass."""

    def nearest(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        return adversarial


@pytest.mark.parametrize("move", [0.11, 1.6])
def test_a_result_outside_of_the_threat_model_is_refused_even_if_the_projection_is_broken(move: float) -> None:
    """Just outside of the ball, and outside of the box."""
    with pytest.raises(AssertionError, match="outside the threat model"):
        Cheat(lambda problem: problem.inputs + move)(
            model, INPUTS, TARGETS, BrokenThreat.from_fraction(0.05, BOX), DiceBelow(0.5), generator=torch.Generator()
        )


@pytest.mark.parametrize("is_seen", [True, False])
@pytest.mark.parametrize("attack", [Cheat(lambda problem: problem.inputs - 0.01), Square(num_queries=3), FGSM()])
def test_a_model_that_writes_into_its_inputs_is_refused_before_a_search_goes_on_from_there(
    attack: Attack, is_seen: bool
) -> None:
    def writing(inputs: Tensor) -> Tensor:
        logits = model(inputs)
        if not is_seen:  # the version stays
            inputs.data.zero_()
        elif not inputs.requires_grad:  # autograd itself refuses the others
            inputs.zero_()
        return logits

    threat = LinfThreat.from_fraction(0.05, BOX)
    with pytest.raises(ValueError, match=r"changes its input in place.*inputs\.clone"):
        attack(writing, INPUTS, TARGETS, threat, DiceBelow(0.5), generator=torch.Generator())


class TurnsBad(RegionModel):
    """Keeps a case open, and gives NaN from its third query on."""

    num_queries = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        return model(inputs)

    def open_case(self, inputs: Tensor) -> "TurnsBad":
        self.logits = model(inputs)
        return self

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        self.num_queries += 1
        return self.logits if self.num_queries < 3 else self.logits * torch.nan

    def accept(self) -> None:
        pass

    def reject(self) -> None:
        pass


def test_regional_queries_are_checked_and_the_call_is_named() -> None:
    with pytest.raises(ValueError, match="not finite at call 4"):
        Square(num_queries=9)(
            TurnsBad(), INPUTS, TARGETS, LinfThreat.from_fraction(0.05, BOX), DiceBelow(0.1),
            generator=torch.Generator(),
        )  # fmt: skip


class Window:
    """A network behind an attribute, as behind a sliding window."""

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self.network = network

    def __call__(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)


class Holder:
    """No callable itself, as a system is none, but its model asks it."""

    def __init__(self, held: Any) -> None:
        self.held = held

    @property
    def model(self) -> Callable[[Tensor], Tensor]:
        return lambda inputs: self.held(inputs)


def scaled(network: Callable[[Tensor], Tensor], factor: float, inputs: Tensor) -> Tensor:
    return factor * network(inputs)


def test_the_network_is_found_behind_what_is_wrapped_around_it() -> None:
    network = nn.BatchNorm3d(1)
    wrapped: list[Callable[[Tensor], Tensor]] = [
        network, network.forward, Window(network), Window(network).__call__, lambda inputs: Window(network)(inputs),
        functools.partial(scaled, Window(network), 2.0), Window(lambda inputs: network(inputs)[:, :1]),
        VolumeLogits(network, (4, 4, 4)), VolumeLogits(network, (4, 4, 4), mirror_axes=(0, 1)),
        RegionVolumeLogits(VolumeLogits(network, (4, 4, 4))), Holder(VolumeLogits(network, (4, 4, 4))).model,
        Holder({"fold 0": [network]}).model, VolumeLogits(network, (4, 4, 4), cuda_graphs=True, mirror_axes=(2,)),
    ]  # fmt: skip
    for one in wrapped:
        assert modules_behind(one) == [network]
    assert modules_behind(model) == []


def test_a_network_is_found_by_the_shortest_way_whichever_was_followed_first() -> None:
    network = nn.BatchNorm3d(1)
    near = Holder(network)
    far: Any = near
    for _ in range(8):
        far = Holder(far)

    def by_two_ways(inputs: Tensor, ways: tuple[Any, Any]) -> Tensor:
        return ways[1].held(inputs)

    assert modules_behind(functools.partial(by_two_ways, ways=(far, near))) == [network]


def test_the_mode_is_kept_where_that_is_asked_for() -> None:
    norm = nn.BatchNorm3d(1).train()
    network = nn.Sequential(norm, nn.Conv3d(1, 2, 1))

    def learnt() -> bool:
        assert norm.running_mean is not None
        return bool(norm.running_mean.any())

    attack, threat = Cheat(lambda problem: problem.inputs), LinfThreat.from_fraction(0.05, BOX)
    inputs = INPUTS + 0.2
    attack(network, inputs, TARGETS, threat, DiceBelow(0.5), generator=torch.Generator())
    assert not learnt()
    attack(network, inputs, TARGETS, threat, DiceBelow(0.5), generator=torch.Generator(), keep_mode=True)
    assert learnt()
    assert norm.training
