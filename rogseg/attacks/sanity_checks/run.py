"""Which checks an evaluation can afford, and what they see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.objectives import CrossEntropy, HardDice, Objective, ScaleFree, SoftDice
from rogseg.attacks.sanity_checks import attack_checks, local_checks
from rogseg.attacks.sanity_checks.finding import SanityFinding
from rogseg.attacks.sanity_checks.local_look import LOOK_PASSES, LocalLook, look_around
from rogseg.attacks.square import Square
from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Case, LogitFn
from rogseg.metrics import mean_foreground_dice

__all__ = ["Budget", "Effort", "run_checks"]

Effort = Literal["none", "quick", "full"]
MakeThreat = Callable[[float, Case], ThreatModel]

QUICK_SHARE = 10  # the quick checks take at most one pass for this many of the attack
LARGE_EPSILON = 0.5  # nearly the whole box, so that any network must break
FEW_ITERATIONS, MANY_ITERATIONS = 5, 20
FGSM_PASSES = 3
# APGD takes two forward passes more than it has iterations; one more is the clean evaluation.
GROWTH_PASSES = 1 + sum(2 * iterations + 2 for iterations in (FEW_ITERATIONS, *[MANY_ITERATIONS] * 3))
MIN_QUERIES = 20  # fewer say nothing about a black box


@dataclass(frozen=True)
class Budget:
    """What the checks may take; passes are forward passes and backward passes, both counted.

    Args:
        looks: cases whose surroundings are looked at.
        searches: cases that are attacked by APGD and Square.
        queries: of Square on each of them.
        has_growth: whether APGD runs with few and with many iterations and in nearly the whole box, too; otherwise
            FGSM stands for the white box.
    """

    looks: int
    searches: int
    queries: int
    has_growth: bool

    @classmethod
    def of(cls, effort: Effort, num_cases: int, attack_passes: int) -> "Budget":
        """The checks for an effort: "quick" at most a tenth of the attack's passes, "full" whatever is useful."""
        if effort == "full":
            return cls(min(5, num_cases), min(3, num_cases), 500, has_growth=True)
        left = attack_passes // QUICK_SHARE
        looks = min(3, num_cases, left // LOOK_PASSES)
        left -= looks * LOOK_PASSES
        for searches in range(min(3, num_cases), 0, -1):
            queries = left // searches - GROWTH_PASSES - 1
            if queries >= 3 * MIN_QUERIES:
                return cls(looks, searches, min(queries, 500), has_growth=True)
        queries = left - FGSM_PASSES - 1
        return cls(looks, int(queries >= MIN_QUERIES), min(queries, 500), has_growth=False)

    @property
    def passes(self) -> int:
        """What all the checks take; one pass for each case is the evaluation of Square's result."""
        white_box = GROWTH_PASSES if self.has_growth else FGSM_PASSES
        return self.looks * LOOK_PASSES + self.searches * (white_box + self.queries + 1)


def run_checks(
    model: LogitFn,
    cases: Sequence[Case],
    make_threat: MakeThreat,
    epsilon: float,
    effort: Effort,
    attack_passes: int,
    *,
    white_box: Mapping[str, float] | None = None,
    seed: int = 0,
) -> tuple[SanityFinding, ...]:
    """Ask the network whether an attack's numbers can be believed.

    Args:
        model: as it was attacked, in evaluation mode.
        cases: those of the evaluation; only the labelled are looked at, the first few of them.
        make_threat: epsilon and a case -> threat model, as in the evaluation.
        epsilon: one of the evaluation, as a fraction of the box's width.
        effort: "none", "quick" (at most a tenth of the attack's passes) or "full".
        attack_passes: forward and backward passes that the attack takes over all cases.
        white_box: lowest Dice of cases under the white-box attacks of the evaluation at this epsilon, with which Square
            is compared as well.
        seed: of the random starts.

    Returns:
        One finding for each check that was made; a single warning where the budget allows none.

    Raises:
        ValueError: an unknown effort.
    """
    if effort not in get_args(Effort):
        raise ValueError(f"effort is {effort!r}, expected one of {', '.join(get_args(Effort))}")
    labelled = [(case, case.targets) for case in cases if case.targets is not None and (case.targets > 0).any()]
    if effort == "none" or not labelled:
        return ()
    budget = Budget.of(effort, len(labelled), attack_passes)
    if budget.looks == 0:
        return (
            SanityFinding(
                "the network was looked at",
                "warning",
                f"a tenth of {attack_passes} passes allows no check",
                "nothing is known of masked gradients: ask for the full checks, or attack with more passes",
            ),
        )
    looks = [look_around(model, case.inputs, targets, case.box, epsilon) for case, targets in labelled[: budget.looks]]
    findings = _local(looks, *labelled[0])
    searched = labelled[: budget.searches]
    if searched and all(look.gradient is not None for look in looks):
        findings += _searches(model, searched, make_threat, epsilon, budget, white_box or {}, seed)
    return tuple(findings)


def _local(looks: Sequence[LocalLook], first: Case, targets: Tensor) -> list[SanityFinding]:
    return [
        local_checks.check_logits(looks[0].logits),
        local_checks.check_clamped(first.inputs, looks[0].logits),
        local_checks.check_saturation(looks[0].logits, targets),
        local_checks.check_deterministic(looks),
        local_checks.check_gradients(looks),
        local_checks.check_linear(looks),
        local_checks.check_smooth(looks),
        local_checks.check_promise(looks),
    ]


def _searches(
    model: LogitFn,
    cases: Sequence[tuple[Case, Tensor]],
    make_threat: MakeThreat,
    epsilon: float,
    budget: Budget,
    white_box: Mapping[str, float],
    seed: int,
) -> list[SanityFinding]:
    def dice_under(attack: Attack, make: MakeThreat) -> Tensor:
        found = [
            attack(
                model,
                case.inputs,
                targets,
                make(epsilon, case),
                DiceBelow(0.0),  # nothing asks for success here
                generator=torch.Generator(case.inputs.device).manual_seed(seed),
            ).mean_dice
            for case, targets in cases
        ]
        return torch.cat(found).cpu()

    def apgd(iterations: int, objective: Objective) -> APGD:
        return APGD(ScaleFree(objective), num_iterations=iterations, select="dice")

    findings = []
    if budget.has_growth:
        few, many = (dice_under(apgd(count, SoftDice()), make_threat) for count in (FEW_ITERATIONS, MANY_ITERATIONS))
        with torch.no_grad():
            clean = torch.cat([mean_foreground_dice(case_dice(model(case.inputs), targets)) for case, targets in cases])
        means = {float(FEW_ITERATIONS): few.nanmean().item(), float(MANY_ITERATIONS): many.nanmean().item()}
        broken = dice_under(
            apgd(MANY_ITERATIONS, SoftDice()), lambda _, case: LinfThreat.from_fraction(LARGE_EPSILON, case.box)
        )
        findings += [
            attack_checks.check_more_budget("iterations", means),
            attack_checks.check_near_clean(clean.cpu(), many, MANY_ITERATIONS),
            attack_checks.check_large_epsilon(broken, LARGE_EPSILON),
        ]
        lowest = many.fmin(few).fmin(dice_under(apgd(MANY_ITERATIONS, CrossEntropy()), make_threat))
    else:
        lowest = dice_under(FGSM(), make_threat)
    known = [white_box.get(case.case_id, float("inf")) for case, _ in cases]
    lowest = lowest.fmin(torch.tensor(known, dtype=lowest.dtype))
    square = dice_under(Square(HardDice(), num_queries=budget.queries), make_threat)
    findings.append(attack_checks.check_square_against_white_box(square, lowest))
    return findings
