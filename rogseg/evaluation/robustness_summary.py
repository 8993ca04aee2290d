"""From records to numbers: the worst case per case, robust accuracy, the area under the curve."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.robustness_report import RobustnessReport

__all__ = ["AttackSummary", "CaseOutcome", "area_under_curve", "summarise", "summarise_all", "worst_case"]


@dataclasses.dataclass(frozen=True)
class CaseOutcome:
    """What is left of one case: mean Dice, Dice per class, and whether an attack succeeded (None: no foreground)."""

    case_id: str
    mean: float | None
    per_class: tuple[float | None, ...]
    success: bool | None


@dataclasses.dataclass(frozen=True)
class AttackSummary:
    """One row of the table: an attack at an epsilon over the cases.

    ``dice`` holds the mean Dice of each case that has one, ``dice_per_class`` the mean over cases of each class,
    ``robust`` whether each case with foreground still stands.
    """

    attack: str
    epsilon: float
    dice: tuple[float, ...]
    dice_per_class: tuple[float, ...]
    robust: tuple[bool, ...]

    @property
    def mean_dice(self) -> float:
        """Mean over the cases."""
        return _mean(self.dice)

    @property
    def robust_accuracy(self) -> float:
        """Share of the cases with foreground on which the attack failed."""
        return _mean(self.robust)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _outcome(record: CaseRecord) -> CaseOutcome:
    return CaseOutcome(record.case_id, record.mean_adversarial, record.dice_adversarial, record.success)


def worst_case(report: RobustnessReport, epsilon: float) -> tuple[CaseOutcome, ...]:
    """Per case the worst over the attacks: of the mean Dice, and of each class on its own.

    Success of any attack is success of the worst case. A case that no attack was run on is left out; under the
    cascade a case counts with the attacks that were run on it, or with its clean volume if that had fallen before.
    """
    by_attack = [report.under(attack, epsilon) for attack in (*report.attacks(), WORST_CASE)]
    outcomes = []
    for case_id in report.clean():
        records = [of_case[case_id] for of_case in by_attack if case_id in of_case]
        if not records:
            continue
        means = [record.mean_adversarial for record in records if record.mean_adversarial is not None]
        columns = zip(*(record.dice_adversarial for record in records), strict=True)
        per_class = tuple(min((v for v in column if v is not None), default=None) for column in columns)
        verdicts = [record.success for record in records if record.success is not None]
        outcomes.append(CaseOutcome(case_id, min(means, default=None), per_class, any(verdicts) if verdicts else None))
    return tuple(outcomes)


def summarise(attack: str, epsilon: float, outcomes: Sequence[CaseOutcome]) -> AttackSummary:
    """Gather the outcomes of the cases in one row."""
    columns = zip(*(outcome.per_class for outcome in outcomes), strict=True)
    return AttackSummary(
        attack=attack,
        epsilon=epsilon,
        dice=tuple(outcome.mean for outcome in outcomes if outcome.mean is not None),
        dice_per_class=tuple(_mean([value for value in column if value is not None]) for column in columns),
        robust=tuple(not outcome.success for outcome in outcomes if outcome.success is not None),
    )


def summarise_all(report: RobustnessReport) -> tuple[AttackSummary, ...]:
    """The rows of the table: clean, each attack at each epsilon, and the worst case at each epsilon."""
    clean = summarise(CLEAN, 0.0, [_outcome(record) for record in report.clean().values()])
    rows = [dataclasses.replace(clean, robust=())]
    for epsilon in report.epsilons():
        for attack in report.attacks():
            records = report.under(attack, epsilon)
            if records:
                rows.append(summarise(attack, epsilon, [_outcome(record) for record in records.values()]))
        if len(report.attacks()) > 1:
            rows.append(summarise(WORST_CASE, epsilon, worst_case(report, epsilon)))
    return tuple(rows)


def area_under_curve(epsilons: Sequence[float], dice: Sequence[float]) -> float:
    """Area under mean Dice over epsilon by the trapezoidal rule, divided by the range of epsilon: 1 is perfect.

    Source: the quantity of figure 3 of Daza et al. 2021, which does not say how its area is normalised.

    Raises:
        ValueError: fewer than two points, or epsilon does not ascend.
    """
    if len(epsilons) < 2 or len(epsilons) != len(dice):
        raise ValueError(f"an area needs at least two epsilons with a Dice each, got {len(epsilons)} and {len(dice)}")
    steps = [right - left for left, right in itertools.pairwise(epsilons)]
    if min(steps) <= 0:
        raise ValueError(f"epsilons must ascend, got {list(epsilons)}")
    area = sum(step * (a + b) / 2 for step, a, b in zip(steps, dice[:-1], dice[1:], strict=True))
    return area / (epsilons[-1] - epsilons[0])
