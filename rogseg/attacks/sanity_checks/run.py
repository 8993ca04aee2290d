"""Which checks an evaluation can afford, and what they see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from torch import Tensor

from rogseg.attacks.sanity_checks import local_checks
from rogseg.attacks.sanity_checks.local_look import LOOK_PASSES, OUTPUT_PASSES, LocalLook, look_around
from rogseg.attacks.sanity_checks.searches import FGSM_PASSES, GROWTH_PASSES, MakeThreat, Searches, Subject
from rogseg.cases import Case, LogitFn
from rogseg.findings import NOT_LOOKED_AT, SanityFinding

__all__ = ["Budget", "Effort", "run_checks"]

Effort = Literal["none", "quick", "full"]

QUICK_SHARE = 10  # the quick checks take at most one pass for this many of the attack
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
    model_of: Callable[[Case], LogitFn],
    cases: Sequence[Case],
    make_threat: MakeThreat,
    epsilon: float,
    effort: Effort,
    attack_passes: int,
    *,
    has_gradient: bool = True,
    white_box: Mapping[str, float] | None = None,
    recorded: Mapping[str, float] | None = None,
    classes: Sequence[Sequence[int]] | None = None,
    label: str | None = None,
    seed: int = 0,
    on_passes: Callable[[int, int], None] | None = None,
) -> tuple[SanityFinding, ...]:
    """Ask the network whether an attack's numbers can be believed.

    Args:
        model_of: the network as it was attacked in a case, in evaluation mode.
        cases: those of the evaluation; only the labelled are looked at, the first few of them.
        make_threat: epsilon and a case -> threat model, as in the evaluation.
        epsilon: one of the evaluation.
        effort: "none", "quick" (at most a tenth of the attack's passes) or "full".
        attack_passes: forward and backward passes that the attack takes over all cases.
        has_gradient: whether the network can be differentiated; if not, only its outputs are looked at.
        white_box: lowest Dice of cases under the white-box attacks of the evaluation at this epsilon, with which Square
            is compared as well; where passes allow one step alone and none is known, Square is not asked.
        recorded: lowest Dice of cases under all attacks of the evaluation at this epsilon, which those of the checks
            should not undercut; None compares nothing.
        classes: the class indices that make up each foreground class, of which those Dice are; None is each by itself.
        label: epsilon as it is written, with its unit and norm; None is its number.
        seed: of the random starts.
        on_passes: called with the passes that are done, and with about all there will be: first with none done.

    Returns:
        One finding for each check that was made; a single warning where the budget allows none.

    Raises:
        ValueError: an unknown effort.
    """
    if effort not in get_args(Effort):
        raise ValueError(f"effort is {effort!r}, expected one of {', '.join(get_args(Effort))}")
    subjects = [
        Subject(case, case.targets, model_of(case))
        for case in cases
        if case.targets is not None and (case.targets > 0).any()
    ]
    if effort == "none" or not subjects:
        return ()
    budget = Budget.of(effort, len(subjects), attack_passes)
    if budget.looks == 0:
        return (
            SanityFinding(
                NOT_LOOKED_AT,
                "warning",
                f"the quick checks may take a tenth of the attack's {attack_passes} passes, which is too few for any; "
                "only the records of the attacks were examined",
                "nothing is known of masked gradients: give the same command again with --sanity full, or attack with "
                "more passes",
            ),
        )
    if on_passes is not None:
        total = budget.passes if has_gradient else budget.looks * OUTPUT_PASSES
        subjects = _told_of(subjects, total, on_passes)
    looks = [
        look_around(one.model, one.case.inputs, one.targets, one.case.box, has_gradient=has_gradient)
        for one in subjects[: budget.looks]
    ]
    findings = _of_outputs(looks, subjects[0])
    of_gradients = _of_gradients(looks) if has_gradient else []
    findings += of_gradients
    if budget.searches > 0 and all(look.gradient is not None for look in looks):
        label = label or f"epsilon {epsilon:.4g}"
        searches = Searches(subjects[: budget.searches], make_threat, epsilon, label, classes, seed)
        findings += searches.findings(
            budget.queries,
            white_box or {},
            recorded or {},
            has_growth=budget.has_growth,
            keeps_promises=all(finding.passed for finding in of_gradients),
        )
    return tuple(findings)


def _told_of(subjects: Sequence[Subject], total: int, on_passes: Callable[[int, int], None]) -> list[Subject]:
    """The subjects with models that tell of each pass."""
    done = 0
    on_passes(done, total)

    def told(model: LogitFn) -> LogitFn:
        def logits(volumes: Tensor) -> Tensor:
            nonlocal done
            found = model(volumes)
            done += 2 if volumes.requires_grad else 1  # a backward pass follows
            on_passes(min(done, total), total)
            return found

        return logits

    return [replace(one, model=told(one.model)) for one in subjects]


def _of_outputs(looks: Sequence[LocalLook], first: Subject) -> list[SanityFinding]:
    return [
        local_checks.check_logits(looks[0].logits),
        local_checks.check_clamped(first.case.inputs, looks[0].logits, first.case.movable),
        local_checks.check_deterministic(looks),
    ]


def _of_gradients(looks: Sequence[LocalLook]) -> list[SanityFinding]:
    return [
        local_checks.check_saturation(looks),
        local_checks.check_gradients(looks),
        local_checks.check_linear(looks),
        local_checks.check_smooth(looks),
        local_checks.check_promise(looks),
    ]
