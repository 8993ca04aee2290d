from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.square import Square
from rogseg.attacks.square.queries import OpenCase, RegionModel
from rogseg.attacks.square.recolouring import recolouring_for
from rogseg.attacks.threats import L2Threat, LinfThreat, ThreatModel
from rogseg.cases import IntensityBox

SHAPE = (8, 9, 3)


def problem(num_cases: int = 2, num_channels: int = 2) -> tuple[Tensor, Tensor, LinfThreat]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(num_cases, num_channels, *SHAPE, generator=generator)
    targets = (inputs.mean(1) > 0.5).long()
    box = IntensityBox.per_channel([0.0] * num_channels, [1.0] * num_channels)
    return inputs, targets, LinfThreat.from_fraction(0.2, box)


def pointwise(inputs: Tensor) -> Tensor:
    """Foreground where the mean of the channels is over a half."""
    assert not torch.is_grad_enabled()
    score = 4 * (inputs.mean(1, keepdim=True) - 0.5)
    return torch.cat([-score, score], dim=1)


class Twin(RegionModel):
    """Evaluates the changed voxels only, which for a pointwise model is exact."""

    def __init__(self) -> None:
        self.num_voxels = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        return pointwise(inputs)

    def open_case(self, inputs: Tensor) -> OpenCase:
        return TwinCase(self, inputs)


class TwinCase:
    def __init__(self, twin: Twin, inputs: Tensor) -> None:
        self.twin, self.logits = twin, pointwise(inputs)
        self.undo: tuple[Tensor, Tensor] | None = None

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        x, y, z = region
        place = self.logits[..., x, y, z]
        self.undo = place, place.clone()
        self.twin.num_voxels += values[0, 0].numel()
        place.copy_(pointwise(values))
        return self.logits

    def accept(self) -> None:
        self.undo = None

    def reject(self) -> None:
        assert self.undo is not None
        self.undo[0].copy_(self.undo[1])
        self.undo = None


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("max_passes", [1, 2, 5])
def test_limits_hold_for_regions_too(max_passes: int) -> None:
    inputs, targets, threat = problem()
    attack = Square(num_queries=60)
    for model in (pointwise, Twin()):
        result = attack(model, inputs, targets, threat, DiceBelow(0.5), generator=generator(), max_passes=max_passes)
        assert result.num_forward == max_passes
        assert result.stopped


@pytest.mark.parametrize("objective", ["Margin", "HardDice"])
def test_decisions_by_region_are_those_of_full_evaluations(objective: str) -> None:
    inputs, targets, threat = problem()
    attack = Square(objective={"type": objective}, num_queries=60)
    full = attack(pointwise, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    twin = Twin()
    local = attack(twin, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    assert torch.equal(full.adversarial, local.adversarial)
    assert torch.equal(full.dice, local.dice)
    # 60 queries and the evaluation of the result.
    assert full.num_forward == local.num_forward == 61
    assert full.num_backward == local.num_backward == 0
    assert 0 < twin.num_voxels < 0.3 * 60 * inputs[:, 0].numel()


def test_a_case_does_not_depend_on_the_others_of_its_batch() -> None:
    inputs, targets, threat = problem()
    attack = Square(num_queries=40)
    both = attack(pointwise, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    alone = attack(pointwise, inputs[:1], targets[:1], threat, DiceBelow(0.5), generator=generator())
    assert torch.equal(both.adversarial[:1], alone.adversarial)


def test_a_fallen_case_goes_on_unless_told_to_stop() -> None:
    inputs, targets, threat = problem(num_channels=1)
    easy = DiceBelow(0.95)
    stopped = Square(num_queries=50, stop_at_success=True)
    on = Square(num_queries=50)(pointwise, inputs, targets, threat, easy, generator=generator())
    off = stopped(pointwise, inputs, targets, threat, easy, generator=generator())
    assert on.success.all()
    assert off.success.all()
    assert off.num_forward < on.num_forward == 51
    assert (on.loss > off.loss).all()


def test_the_start_has_stripes_along_the_longest_axis() -> None:
    inputs, targets, threat = problem()
    inputs = torch.full_like(inputs, 0.5)
    result = Square(num_queries=1)(pointwise, inputs, targets, threat, DiceBelow(0.0), generator=generator())
    move = result.adversarial - inputs
    assert torch.equal(move, move[:, :, :, :1].expand_as(move))
    assert torch.allclose(move.abs(), torch.tensor(0.2))
    assert {round(value, 3) for value in move[0, 0, :, 0, 0].tolist()} == {-0.2, 0.2}


def bright_corner(inputs: Tensor) -> Tensor:
    """Foreground where the channels are bright, in one corner alone: a ball in L2 should spend itself there."""
    logits = pointwise(inputs)
    logits[:, :, 3:], logits[:, :, :, 3:] = 0, 0
    logits[:, 0, 3:], logits[:, 0, :, 3:] = 5, 5
    return logits


def test_l2_stays_in_the_ball_and_gathers_its_norm() -> None:
    inputs, targets, linf = problem(num_channels=1)
    targets[:, 3:], targets[:, :, 3:] = 0, 0
    threat = L2Threat.from_fraction(0.05, linf.box)
    result = Square({"type": "HardDice"}, num_queries=300)(
        bright_corner, inputs, targets, threat, DiceBelow(0.1), generator=generator()
    )
    assert (result.distance <= 0.05 + 1e-6).all()
    moved = (result.adversarial - inputs).double().square()
    assert ((moved[:, :, :3, :3].flatten(1).sum(1) / moved.flatten(1).sum(1)) > 0.5).all()
    evenly = LinfThreat.from_fraction(0.05, linf.box)
    flat = Square({"type": "HardDice"}, num_queries=300)(
        bright_corner, inputs, targets, evenly, DiceBelow(0.1), generator=generator()
    )
    assert (result.mean_dice < flat.mean_dice).all()
    twin = Square({"type": "HardDice"}, num_queries=30)
    full, local = (
        twin(network, inputs, targets, threat, DiceBelow(0.5), generator=generator()) for network in (pointwise, Twin())
    )
    assert torch.equal(full.adversarial, local.adversarial)


@pytest.mark.parametrize("kind", [LinfThreat, L2Threat])
def test_voxels_that_may_not_move_stay(kind: type[LinfThreat | L2Threat]) -> None:
    inputs, targets, threat = problem()
    support = torch.zeros(2, 1, *SHAPE, dtype=torch.bool)
    support[:, :, 2:6, 1:8] = True
    threat = kind.from_fraction(0.1, threat.box).within(support)  # type: ignore[assignment]
    result = Square(num_queries=40)(pointwise, inputs, targets, threat, DiceBelow(0.1), generator=generator())
    still = (result.adversarial == inputs) | support
    assert still.all()
    assert (result.adversarial != inputs).any()


def test_other_norms_are_refused() -> None:
    """A threat model that is neither."""
    other = type("OtherThreat", (ThreatModel,), dict.fromkeys(ThreatModel.__abstractmethods__))
    with pytest.raises(ValueError, match="not OtherThreat"):
        recolouring_for(other(IntensityBox.per_channel([0.0], [1.0]), torch.zeros(1, 1, 1, 1, 1)))
