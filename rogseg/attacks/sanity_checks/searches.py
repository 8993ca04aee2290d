"""Attacks that the sanity checks make themselves, on the first of the cases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.foreground import case_dice, labels_dice
from rogseg.attacks.objectives import CrossEntropy, HardDice, Objective, ScaleFree, SoftDice
from rogseg.attacks.sanity_checks import attack_checks
from rogseg.attacks.square import Square
from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Case, LogitFn, worded_cases
from rogseg.findings import SanityFinding
from rogseg.metrics import mean_foreground_dice

__all__ = ["FGSM_PASSES", "GROWTH_PASSES", "MakeThreat", "Searches", "Subject"]

MakeThreat = Callable[[float, Case], ThreatModel]

LARGE_EPSILON = 0.5  # nearly the whole box, so that any network must break
FEW_ITERATIONS, MANY_ITERATIONS = 5, 20
FGSM_PASSES = 3
# APGD takes two forward passes more than it has iterations; one more is the clean evaluation.
GROWTH_PASSES = 1 + sum(2 * iterations + 2 for iterations in (FEW_ITERATIONS, *[MANY_ITERATIONS] * 3))


@dataclass(frozen=True)
class Subject:
    """A case that is looked at."""

    case: Case
    targets: Tensor
    model: LogitFn


@dataclass(frozen=True)
class Searches:
    """Attacks on some cases; the label is epsilon as it is written."""

    subjects: Sequence[Subject]
    make_threat: MakeThreat
    epsilon: float
    label: str
    classes: Sequence[Sequence[int]] | None
    seed: int

    def findings(
        self,
        queries: int,
        white_box: Mapping[str, float],
        recorded: Mapping[str, float],
        *,
        has_growth: bool,
        keeps_promises: bool,
    ) -> list[SanityFinding]:
        """More budget, nearly the whole box, a black box, and what all that says of the attacks on record.

        Args:
            queries: of Square on each case.
            white_box: lowest Dice of cases under the evaluation's attacks that see gradients.
            recorded: under all of its attacks.
            has_growth: whether APGD runs with few and with many iterations and in nearly the whole box, too.
            keeps_promises: whether nothing was suspicious about the gradient.
        """
        findings, large = [], None  # which has an epsilon of its own
        if has_growth:
            few, many = (self._dice(_apgd(count, SoftDice())) for count in (FEW_ITERATIONS, MANY_ITERATIONS))
            broken = self._dice(
                _apgd(MANY_ITERATIONS, SoftDice()),
                self._large_threat,
            )
            means = {float(FEW_ITERATIONS): few.nanmean().item(), float(MANY_ITERATIONS): many.nanmean().item()}
            large = attack_checks.check_large_epsilon(broken, LARGE_EPSILON)
            holds = keeps_promises and large.passed
            findings += [
                attack_checks.check_more_budget("iterations", means, label="{:.0f} iterations".format),
                attack_checks.check_near_clean(self._clean(), many, MANY_ITERATIONS, gradient_holds=holds),
                large,
            ]
            lowest = many.fmin(few).fmin(self._dice(_apgd(MANY_ITERATIONS, CrossEntropy())))
        elif all(one.case.case_id in white_box for one in self.subjects):
            lowest = self._dice(FGSM())
        else:  # one step alone is weaker than a black box, whatever the gradient
            return []
        square = self._dice(Square(HardDice(self.classes), num_queries=queries))
        # From one search to another the Dice of n voxels moves by about 1 / sqrt(n).
        sizes = torch.stack([(one.targets > 0).sum() for one in self.subjects]).cpu()
        margin = sizes.to(lowest.dtype).rsqrt().clamp(min=0.01)
        white_box_dice, recorded_dice = (self._of_subjects(dice, lowest) for dice in (white_box, recorded))
        findings.append(attack_checks.check_square_against_white_box(square, lowest.fmin(white_box_dice), margin))
        if not recorded_dice.isnan().all():
            findings.append(attack_checks.check_recorded(lowest.fmin(square), recorded_dice, margin))
        over = f", over {worded_cases(len(self.subjects))}"
        return [replace(one, seen=one.seen + over + ("" if one is large else f" at {self.label}")) for one in findings]

    def _of_subjects(self, dice: Mapping[str, float], like: Tensor) -> Tensor:
        """(N,) of cases that are known; NaN for the others."""
        return like.new_tensor([dice.get(one.case.case_id, float("nan")) for one in self.subjects])

    def _large_threat(self, epsilon: float, case: Case) -> ThreatModel:
        """Nearly the whole box, for the voxels that may move in the evaluation."""
        threat, support = LinfThreat.from_fraction(LARGE_EPSILON, case.box), self.make_threat(epsilon, case).support
        return threat if support is None else threat.within(support)

    def _dice(self, attack: Attack, make_threat: MakeThreat | None = None) -> Tensor:
        found = []
        for one in self.subjects:
            result = attack(
                one.model,
                one.case.inputs,
                one.targets,
                (make_threat or self.make_threat)(self.epsilon, one.case),
                DiceBelow(0.0, self.classes),  # nothing asks for success here
                generator=torch.Generator(one.case.inputs.device).manual_seed(self.seed),
            )
            classes = self.classes or [(index + 1,) for index in range(result.dice.shape[1])]
            found.append(mean_foreground_dice(labels_dice(result.prediction, one.targets, classes)))
        return torch.cat(found).cpu()

    @torch.no_grad()
    def _clean(self) -> Tensor:
        found = [case_dice(one.model(one.case.inputs), one.targets, self.classes) for one in self.subjects]
        return mean_foreground_dice(torch.cat(found)).cpu()


def _apgd(iterations: int, objective: Objective) -> APGD:
    return APGD(ScaleFree(objective), num_iterations=iterations, select="dice")
