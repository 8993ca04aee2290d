"""An attack that may not make all its passes hands back the worst volume that it tried."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rogseg.attacks import (
    APGD,
    PGD,
    Attack,
    AttackResult,
    ClassAppears,
    Composite,
    DiceBelow,
    FABDice,
    LinfThreat,
    Perturbation,
    Problem,
    Square,
)
from rogseg.attacks.objectives import PlantClass, SoftDice
from rogseg.cases import IntensityBox

THREAT = LinfThreat.from_fraction(0.1, IntensityBox.per_channel([-1.0], [1.0]))
INPUTS = 0.8 * torch.linspace(-1, 1, 60).reshape(1, 1, 3, 4, 5)
TARGETS = (INPUTS[:, 0] > 0).long()


def model(inputs: Tensor) -> Tensor:
    return torch.cat([-2 * inputs, 2 * inputs], dim=1)


class Counter:
    """Counts the passes that really happen."""

    def __init__(self) -> None:
        self.passes = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        self.passes += 1
        logits = model(inputs)
        if logits.requires_grad:
            logits.register_hook(self._count)  # type: ignore[no-untyped-call]
        return logits

    def _count(self, _: Tensor) -> None:
        self.passes += 1


MEMBERS = {"pgd": PGD(SoftDice(), num_iterations=4), "square": Square(num_queries=30), "apgd": APGD(num_iterations=9)}
ATTACKS: dict[str, Callable[[], Attack]] = {
    "pgd": lambda: PGD(SoftDice(), num_iterations=20, num_restarts=3),
    "apgd": lambda: APGD(SoftDice(), num_iterations=20),
    "square": lambda: Square({"type": "HardDice"}, num_queries=50),
    "fab": lambda: FABDice(num_iterations=20, threshold=0.8),
    "all": lambda: Composite(MEMBERS),
    "cascade": lambda: Composite(MEMBERS, mode="cascade"),
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("max_passes", [1, 2, 3, 10, 31])
def test_the_limit_is_kept(name: str, max_passes: int) -> None:
    counter = Counter()
    result = ATTACKS[name]()(
        counter, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator().manual_seed(0),
        max_passes=max_passes,
    )  # fmt: skip
    assert result.num_forward + result.num_backward == counter.passes <= max_passes
    assert float(result.distance.max()) <= 0.1 + 1e-6


@pytest.mark.parametrize("name", ["pgd", "apgd", "square", "all"])
def test_a_limit_that_is_not_reached_changes_nothing_and_a_tight_one_still_finds_something(name: str) -> None:
    def run(max_passes: int | None) -> Tensor:
        return ATTACKS[name]()(
            model, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator().manual_seed(0),
            max_passes=max_passes,
        ).adversarial  # fmt: skip

    assert torch.equal(run(None), run(10_000))
    assert not torch.equal(run(12), INPUTS)


class Wanders(Attack):
    """Tries a bad volume, then harmless ones in the same tensor, for ever."""

    def __init__(self) -> None:
        super().__init__(SoftDice())

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        volume = problem.inputs.clone()
        moves = [-0.1, 0.0, -5.0]  # the last leaves the ball
        while True:
            for move in moves:
                problem.fallen(volume.copy_(problem.inputs + move))


def test_the_worst_admissible_volume_is_handed_back_as_it_was_when_it_was_tried() -> None:
    result = Wanders()(model, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator(), max_passes=9)
    assert torch.allclose(result.adversarial, INPUTS - 0.1)
    assert result.num_forward == 9
    with pytest.raises(ValueError, match="max_passes is 0"):
        Wanders()(model, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator(), max_passes=0)


class Slow:
    """Takes a moment for each pass, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)

    def __call__(self, inputs: Tensor) -> Tensor:
        self.now += 1.0
        return model(inputs)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_search_ends_with_its_time_and_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    result = ATTACKS[name]()(
        slow, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator().manual_seed(0), max_seconds=5.5
    )
    assert result.stopped
    # Six passes begin within 5.5 seconds; the last two look at the results, of a member and of the whole.
    assert 6 <= result.num_forward <= 8
    with pytest.raises(ValueError, match="max_seconds is 0"):
        ATTACKS[name]()(slow, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator(), max_seconds=0)


def test_members_that_the_limit_leaves_out_are_named_and_those_that_need_not_run_are_not() -> None:
    def run(attack: Attack, targets: Tensor, max_passes: int | None) -> AttackResult:
        generator = torch.Generator().manual_seed(0)
        return attack(model, INPUTS, targets, THREAT, DiceBelow(0.1), generator=generator, max_passes=max_passes)

    found = run(Composite(MEMBERS), TARGETS, 7)
    assert (tuple(found.members), found.not_run) == (("pgd",), ("square", "apgd"))
    assert run(Composite(MEMBERS), TARGETS, None).not_run == ()
    # A case that has fallen meets no further member of a cascade, whether passes are left or not.
    fallen = run(Composite(MEMBERS, mode="cascade"), 1 - TARGETS, 2)
    assert (dict(fallen.members), fallen.not_run, fallen.stopped) == ({}, (), False)


def test_a_search_that_ends_by_itself_was_not_stopped() -> None:
    attack = PGD(SoftDice(), num_iterations=4)

    def run(max_passes: int) -> bool:
        return attack(
            model, INPUTS, TARGETS, THREAT, DiceBelow(0.1), generator=torch.Generator(), max_passes=max_passes
        ).stopped

    # Four iterations, a look at the last iterate, and one at the result.
    assert not run(10)
    assert run(9)


def test_what_a_stopped_search_had_found_counts_where_the_aim_is_not_dice() -> None:
    """A class appears in a case without foreground, which has no Dice; the last pass of the search is not made."""
    inputs = torch.linspace(0.3, 0.5, 60).reshape(1, 1, 3, 4, 5)
    targets = torch.zeros(1, 3, 4, 5, dtype=torch.int64)
    threat = LinfThreat.from_fraction(0.2, IntensityBox.per_channel([0.0], [1.0]))
    criterion = ClassAppears(num_voxels=5)

    def run(max_passes: int | None) -> AttackResult:
        return APGD(PlantClass(), num_iterations=6, select="objective")(
            lambda volume: torch.cat([0.55 - volume, volume - 0.55], dim=1), inputs, targets, threat, criterion,
            generator=torch.Generator().manual_seed(0), max_passes=max_passes,
        )  # fmt: skip

    whole = run(None)
    assert whole.success.all()
    stopped = run(whole.num_forward + whole.num_backward - 1)
    assert stopped.stopped
    assert stopped.success.all()
    assert (stopped.adversarial != inputs).any()
