"""What an evaluation will do in its time: told before it begins, and kept for the run that goes on with it."""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rogseg.cases import worded_cases
from rogseg.foreign import decode, read_json

__all__ = [
    "EvaluationPlan",
    "PlannedAttack",
    "PlannedCorruptions",
    "Request",
    "plan_attacks",
    "plan_corruptions",
    "read_plan",
]

EPSILONS = ("2/255", "4/255", "8/255")
FEWEST_CASES = 3
# Accuracy, the sanity checks and the report take the rest.
SHARE_OF_ATTACKS, SHARE_OF_CORRUPTIONS = 0.65, 0.1
SEVERITIES = ((1, 3, 5), (3,))  # the first that fit
REMEDY = "remove it or give another --out"


@dataclasses.dataclass(frozen=True)
class PlannedAttack:
    """An attack of the evaluation: a shipped config, its options, its epsilons and the passes that a case takes.

    A pass is forward and backward; of an attack without gradients a forward pass alone.
    """

    name: str
    options: tuple[str, ...]
    epsilons: tuple[str, ...]
    passes: int


CURVE = PlannedAttack("apgd_ce", ("attack.num_iterations=20",), EPSILONS, 20 * len(EPSILONS))
ENSEMBLE = PlannedAttack("segmentation_ensemble", (), ("8/255",), 400)
# Of a system without a gradient; a query is a forward pass.
QUERIES = PlannedAttack("square_dice", ("attack.num_queries=500",), EPSILONS, 500 * len(EPSILONS))


@dataclasses.dataclass(frozen=True)
class PlannedCorruptions:
    """Every corruption that applies to the images, at some severities.

    Args:
        severities: of 1 to 5.
        num_cases: that are corrupted.
        segmentations: of a case.
        seconds: of a segmentation [s].
    """

    severities: tuple[int, ...]
    num_cases: int
    segmentations: int
    seconds: float

    @property
    def minutes(self) -> float:
        """What they will take."""
        return self.num_cases * self.segmentations * self.seconds / 60


@dataclasses.dataclass(frozen=True)
class Request:
    """What a person asked for; another one is another evaluation.

    Args:
        minutes: for everything.
        protocol: what of a case is attacked.
        cases: ids; empty takes the validation part.
        seed: of the attacks.
        case_seed: of which cases are taken where not all fit.
        options: overrides of the config, or of the folder's system.
    """

    minutes: float
    protocol: str
    cases: tuple[str, ...]
    seed: int
    case_seed: int
    options: tuple[str, ...]

    def refuse_other(self, other: "Request", path: Path) -> None:
        """Refuse to go on with an evaluation that was asked for otherwise.

        Raises:
            ValueError: they differ; the message names the first difference.
        """
        for field in dataclasses.fields(self):
            there, here = getattr(other, field.name), getattr(self, field.name)
            if there != here:
                raise ValueError(
                    f"{path}: the evaluation there was begun with {field.name} {_words(there)}, now it is "
                    f"{_words(here)}: go on with the same arguments, or {REMEDY}"
                )


@dataclasses.dataclass(frozen=True)
class EvaluationPlan:
    """What fits.

    Args:
        attacks: each with its number of cases.
        seconds_per_pass: that this was reckoned with [s].
        corruptions: None where there are no raw cases, or they do not fit.
    """

    attacks: tuple[tuple[PlannedAttack, int], ...]
    seconds_per_pass: float
    corruptions: PlannedCorruptions | None = None

    @property
    def num_cases(self) -> int:
        """The cases of the largest part."""
        return max(number for _, number in self.attacks)

    def minutes_of(self, attack: PlannedAttack, num_cases: int) -> float:
        """What an attack will take, without its sanity checks."""
        return attack.passes * num_cases * self.seconds_per_pass / 60

    def lines(self, minutes: float, accuracy: bool) -> Iterator[str]:
        """The plan in words, a line per part."""
        yield f"a pass of a case takes {self.seconds_per_pass:.3g} s here; planned for {minutes:g} minutes:"
        if accuracy:
            yield f"  accuracy on the raw grid: {worded_cases(self.num_cases)}"
        for attack, number in self.attacks:
            at, cost = ", ".join(attack.epsilons), self.minutes_of(attack, number)
            cases = worded_cases(number)
            yield f"  {attack.name} at {at}: {cases}, about {cost:.1f} minutes and a tenth for sanity checks"
        if (planned := self.corruptions) is not None:
            at = ", ".join(map(str, planned.severities))
            cases = worded_cases(planned.num_cases)
            yield f"  corruptions at severity {at}: {cases}, about {planned.minutes:.1f} minutes"
        elif accuracy:
            yield "  no corruptions: not one case fits"
        yield "  report"


def plan_attacks(
    seconds_per_pass: float,
    num_cases: int,
    minutes: float,
    *,
    differentiable: bool = True,
    cheaper: str = "",
) -> EvaluationPlan:
    """As many cases as fit for a curve over epsilon, and the ensemble where it fits, too.

    Args:
        seconds_per_pass: of a forward and backward pass of one case; forward alone without a gradient.
        num_cases: that there are.
        minutes: for everything.
        differentiable: whether the system has a gradient; without, the curve is that of an attack by queries.
        cheaper: what else can be given, as the end of the sentence where nothing fits.

    Raises:
        ValueError: not even one case fits.
    """
    if not 0 < minutes < math.inf:
        raise ValueError(f"--minutes {minutes} must be above 0, and a number: write for instance 60")
    passes = minutes * 60 * SHARE_OF_ATTACKS / seconds_per_pass
    with_both = int(passes // (CURVE.passes + ENSEMBLE.passes))
    if differentiable and with_both >= min(FEWEST_CASES, num_cases):
        chosen = min(with_both, num_cases)
        return EvaluationPlan(((CURVE, chosen), (ENSEMBLE, chosen)), seconds_per_pass)
    curve = CURVE if differentiable else QUERIES
    alone = int(passes // curve.passes)
    if alone < 1:
        needed = curve.passes * seconds_per_pass / SHARE_OF_ATTACKS / 60
        raise ValueError(
            f"--minutes {minutes:g} is too little: one pass of a case takes {seconds_per_pass:.3g} s here, and the "
            f"smallest evaluation {needed:.1f} minutes; give more{cheaper}"
        )
    return EvaluationPlan(((curve, min(alone, num_cases)),), seconds_per_pass)


def plan_corruptions(seconds: float, num_corruptions: int, num_cases: int, minutes: float) -> PlannedCorruptions | None:
    """As many severities as fit for a few cases, then as many cases; None where not one case fits.

    Args:
        seconds: of a segmentation on the raw grid [s].
        num_corruptions: that apply to the images.
        num_cases: that there are.
        minutes: for everything.
    """
    segmentations = minutes * 60 * SHARE_OF_CORRUPTIONS / seconds
    for severities in SEVERITIES:
        of_case = 1 + num_corruptions * len(severities)
        fitting = min(int(segmentations // of_case), num_cases)
        if fitting >= (1 if severities == SEVERITIES[-1] else min(FEWEST_CASES, num_cases)):
            return PlannedCorruptions(severities, fitting, of_case, seconds)
    return None


def read_plan(path: Path) -> tuple[EvaluationPlan, Request]:
    """The plan that an evaluation was begun with, and what it was asked for.

    Raises:
        ValueError: the file holds no plan.
    """
    content = read_json(path, REMEDY)
    try:
        entries = decode(content, dict[str, Any], "it")
        plan = decode(entries["plan"], EvaluationPlan, "plan")
        if not plan.attacks or not all(number > 0 for _, number in plan.attacks):
            raise ValueError("it plans no attack, or one on no case")
        return plan, decode(entries["request"], Request, "request")
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: not the plan of an evaluation ({error}); {REMEDY}") from error


def _words(value: object) -> str:
    return " ".join(map(str, value)) or "not given" if isinstance(value, tuple) else str(value)
