"""The sanity checks that run with every evaluation."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from rogseg.attacks.apgd import APGD
from rogseg.attacks.counted_model import LogitFn
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.sanity_checks import (
    SanityFinding,
    check_deterministic,
    check_gradients,
    check_large_epsilon,
    check_logits,
    check_more_budget,
    check_square_against_white_box,
)
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.engine.attacking.attack_loop import MakeThreat, case_generator
from rogseg.evaluation.robustness_report import RobustnessReport
from rogseg.evaluation.robustness_summary import summarise_all

__all__ = ["check_model", "check_records", "save_findings"]

# Nearly the whole box, so that any network must break; a case of it costs this many passes.
LARGE_EPSILON = 0.5
LARGE_EPSILON_ITERATIONS = 20
BLACK_BOX = "Square"


def check_model(
    model: LogitFn, cases: Sequence[AttackCase], make_threat: MakeThreat, seed: int
) -> tuple[SanityFinding, ...]:
    """Ask the model itself: the first case for its outputs and gradients, all given cases at a very large epsilon."""
    first = cases[0]
    with torch.no_grad():
        logits = model(first.inputs).float()
    attack = APGD(objective={"type": "CrossEntropy"}, num_iterations=LARGE_EPSILON_ITERATIONS)
    broken = [
        attack(
            model,
            case.inputs,
            case.targets,
            make_threat(LARGE_EPSILON, case),
            DiceBelow(0.0),
            generator=case_generator(seed, case.case_id, LARGE_EPSILON, case.inputs.device),
        ).mean_dice
        for case in cases
    ]
    return (
        check_logits(logits),
        check_deterministic(model, first.inputs),
        check_gradients(model, first.inputs, first.targets),
        check_large_epsilon(torch.cat(broken), LARGE_EPSILON),
    )


def check_records(report: RobustnessReport) -> tuple[SanityFinding, ...]:
    """Ask the records: Square against the white-box attacks, and whether a larger epsilon is ever weaker."""
    findings = []
    white_box = [attack for attack in report.attacks() if attack != BLACK_BOX]
    if BLACK_BOX in report.attacks() and white_box:
        for epsilon in report.epsilons():
            square = _dice_of(report, BLACK_BOX, epsilon)
            others = [_dice_of(report, attack, epsilon) for attack in white_box]
            best = [min(dice.get(case_id, math.inf) for dice in others) for case_id in square]
            finding = check_square_against_white_box(torch.tensor(list(square.values())), torch.tensor(best))
            findings.append(dataclasses.replace(finding, name=f"epsilon {epsilon * 255:.3g}/255: {finding.name}"))
    if len(report.epsilons()) > 1:
        rows = summarise_all(report)
        for attack in report.attacks():
            means = {row.epsilon: row.mean_dice for row in rows if row.attack == attack}
            finding = check_more_budget("epsilon", means)
            findings.append(dataclasses.replace(finding, name=f"{attack}: {finding.name}"))
    return tuple(findings)


def _dice_of(report: RobustnessReport, attack: str, epsilon: float) -> dict[str, float]:
    records = report.under(attack, epsilon).values()
    return {record.case_id: mean for record in records if (mean := record.mean_adversarial) is not None}


def save_findings(findings: Sequence[SanityFinding], path: Path) -> None:
    """Write the findings as JSON."""
    path.write_text(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
