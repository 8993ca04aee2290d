"""The sanity checks that run with every evaluation."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import AttackResult
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.sanity_checks import (
    SanityFinding,
    check_more_budget,
    check_square_against_white_box,
    check_transfer,
    run_checks,
)
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import Case, LogitFn
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.engine.attacking.attack_loop import MakeThreat, case_generator
from rogseg.evaluation.robustness_report import RobustnessReport
from rogseg.evaluation.robustness_summary import summarise_all
from rogseg.metrics import mean_foreground_dice

__all__ = ["CHECK_PASSES", "check_model", "check_records", "check_surrogate", "load_findings", "save_findings"]

FEW_ITERATIONS, MANY_ITERATIONS = 5, 20
CHECK_PASSES = FEW_ITERATIONS + 2 * MANY_ITERATIONS
BLACK_BOX = "Square"


def check_model(
    model: LogitFn, case: AttackCase, make_threat: MakeThreat, epsilon: float, seed: int
) -> tuple[SanityFinding, ...]:
    """Ask the model itself, on one case, whatever `run_checks` can ask."""
    asked = Case(case.case_id, case.inputs, case.targets, case.box)
    return run_checks(model, [asked], lambda size, _: make_threat(size, case), epsilon, "full", 0, seed=seed)


def check_surrogate(
    model: LogitFn,
    surrogate: LogitFn,
    cases: Sequence[AttackCase],
    make_threat: MakeThreat,
    epsilon: float,
    seed: int,
) -> SanityFinding:
    """Whether volumes that APGD makes on another network hurt this one more than those it makes on this one.

    Args:
        model: the network under evaluation.
        surrogate: the other one.
        cases: those to try; 20 forward and backward passes of either network each.
        make_threat: as in the evaluation.
        epsilon: as in the evaluation.
        seed: of the starts.
    """
    transferred, own = [], []
    for case in cases:
        threat = make_threat(epsilon, case)
        own.append(_apgd(model, case, threat, MANY_ITERATIONS, seed).mean_dice)
        made = _apgd(surrogate, case, threat, MANY_ITERATIONS, seed).adversarial
        with torch.no_grad():
            transferred.append(mean_foreground_dice(case_dice(model(made).float(), case.targets)))
    return check_transfer(torch.cat(transferred).cpu(), torch.cat(own).cpu())


def _apgd(model: LogitFn, case: AttackCase, threat: ThreatModel, num_iterations: int, seed: int) -> AttackResult:
    return APGD(objective={"type": "CrossEntropy"}, num_iterations=num_iterations)(
        model,
        case.inputs,
        case.targets,
        threat,
        DiceBelow(0.0),  # nothing asks for success here
        generator=case_generator(seed, case.case_id, 0.0, case.inputs.device),
    )


def check_records(report: RobustnessReport) -> tuple[SanityFinding, ...]:
    """Ask the records: Square against the white-box attacks, and whether a larger epsilon is ever weaker."""
    findings = []
    if {BLACK_BOX} < set(report.attacks()):
        for epsilon in report.epsilons():
            square, white_box = _dice_of(report, BLACK_BOX, epsilon), _lowest_white_box_dice(report, epsilon)
            both = [case_id for case_id in square if case_id in white_box]
            finding = check_square_against_white_box(
                torch.tensor([square[case_id] for case_id in both]),
                torch.tensor([white_box[case_id] for case_id in both]),
            )
            findings.append(dataclasses.replace(finding, name=f"epsilon {epsilon * 255:.3g}/255: {finding.name}"))
    if len(report.epsilons()) > 1:
        rows = summarise_all(report)
        for attack in report.attacks():
            means = {row.epsilon: row.mean_dice for row in rows if row.attack == attack}
            finding = check_more_budget("epsilon", means)
            findings.append(dataclasses.replace(finding, name=f"{attack}: {finding.name}"))
    return tuple(findings)


def _lowest_white_box_dice(report: RobustnessReport, epsilon: float) -> dict[str, float]:
    """Lowest mean Dice of each case over the attacks that see gradients."""
    lowest: dict[str, float] = {}
    for attack in report.attacks():
        if attack != BLACK_BOX:
            for case_id, dice in _dice_of(report, attack, epsilon).items():
                lowest[case_id] = min(dice, lowest.get(case_id, dice))
    return lowest


def _dice_of(report: RobustnessReport, attack: str, epsilon: float) -> dict[str, float]:
    records = report.under(attack, epsilon).values()
    return {record.case_id: mean for record in records if (mean := record.mean_adversarial) is not None}


def load_findings(path: Path) -> tuple[SanityFinding, ...]:
    """What `save_findings` wrote; nothing where there is no file, as after an evaluation that was stopped."""
    return tuple(SanityFinding(**entry) for entry in json.loads(path.read_text())) if path.is_file() else ()


def save_findings(findings: Sequence[SanityFinding], path: Path) -> None:
    """Write the findings as JSON."""
    path.write_text(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
