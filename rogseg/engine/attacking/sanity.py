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
    Effort,
    SanityFinding,
    check_more_budget,
    check_square_against_white_box,
    check_transfer,
    run_checks,
)
from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Case, LogitFn, case_generator
from rogseg.engine.attacking.case_attacker import MakeThreat, scored_model
from rogseg.evaluation.case_record import CLEAN, WORST_CASE
from rogseg.evaluation.epsilon_label import norm_of_threat, strength_label
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import summarise_all
from rogseg.metrics import mean_foreground_dice
from rogseg.systems.base import System

__all__ = ["check_model", "check_records", "check_surrogate", "load_findings", "save_findings"]

MANY_ITERATIONS = 20
BLACK_BOX = "Square"
LINF_EPSILON = 8 / 255


def check_model(
    system: System,
    cases: Sequence[Case],
    make_threat: MakeThreat,
    epsilon: float,
    records: RecordFolder,
    effort: Effort,
    seed: int,
) -> tuple[SanityFinding, ...]:
    """Ask the network itself, beside what it was attacked by.

    Args:
        system: that was attacked.
        cases: some of those that were attacked.
        make_threat: as in the evaluation.
        epsilon: one of the evaluation.
        records: of the evaluation, which tell how many passes it took and what its white-box attacks found.
        effort: how many passes the checks may take.
        seed: of the starts.
    """
    attacked = [record for record in records.records if record.condition != CLEAN]
    # A composite's own record counts the passes of its members.
    whole = [record for record in attacked if record.condition == WORST_CASE] or attacked
    white_box = _lowest_white_box_dice(records, epsilon)
    if records.identity.threat is not None and norm_of_threat(records.identity.threat.type) not in ("Linf", "L2"):
        # The checks are of the network; APGD and Square look for it in a ball that both know.
        make_threat, epsilon, white_box = _linf_of, LINF_EPSILON, {}
    return run_checks(
        lambda case: scored_model(system.model, case),
        cases,
        make_threat,
        epsilon,
        effort,
        sum(record.num_forward + record.num_backward for record in whole),
        has_gradient=system.differentiable,
        white_box=white_box,
        seed=seed,
    )


def _linf_of(epsilon: float, case: Case) -> ThreatModel:
    threat = LinfThreat.from_fraction(epsilon, case.box)
    return threat if case.movable is None else threat.within(case.movable)


def check_surrogate(
    model: LogitFn,
    surrogate: LogitFn,
    cases: Sequence[Case],
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
        assert case.targets is not None, "only labelled cases are attacked"
        threat = make_threat(epsilon, case)
        own.append(_apgd(model, case, threat, MANY_ITERATIONS, seed).mean_dice)
        made = _apgd(surrogate, case, threat, MANY_ITERATIONS, seed).adversarial
        with torch.no_grad():
            transferred.append(mean_foreground_dice(case_dice(model(made).float(), case.targets)))
    return check_transfer(torch.cat(transferred).cpu(), torch.cat(own).cpu())


def _apgd(model: LogitFn, case: Case, threat: ThreatModel, num_iterations: int, seed: int) -> AttackResult:
    assert case.targets is not None, "only labelled cases are attacked"
    return APGD(objective={"type": "CrossEntropy"}, num_iterations=num_iterations)(
        model,
        case.inputs,
        case.targets,
        threat,
        DiceBelow(0.0),  # nothing asks for success here
        generator=case_generator(seed, case.case_id, 0.0, case.inputs.device),
    )


def check_records(records: RecordFolder) -> tuple[SanityFinding, ...]:
    """Ask the records: Square against the white-box attacks, and whether a larger epsilon is ever weaker."""
    findings = []
    if {BLACK_BOX} < set(records.conditions()):
        for epsilon in records.strengths():
            square, white_box = _dice_of(records, BLACK_BOX, epsilon), _lowest_white_box_dice(records, epsilon)
            both = [case_id for case_id in square if case_id in white_box]
            finding = check_square_against_white_box(
                torch.tensor([square[case_id] for case_id in both]),
                torch.tensor([white_box[case_id] for case_id in both]),
            )
            label = strength_label(records.identity, epsilon)
            findings.append(dataclasses.replace(finding, name=f"epsilon {label}: {finding.name}"))
    if len(records.strengths()) > 1:
        rows = summarise_all(records)
        for attack in records.conditions():
            means = {row.strength: row.mean_dice for row in rows if row.condition == attack}
            finding = check_more_budget("epsilon", means)
            findings.append(dataclasses.replace(finding, name=f"{attack}: {finding.name}"))
    return tuple(findings)


def _lowest_white_box_dice(records: RecordFolder, epsilon: float) -> dict[str, float]:
    """Lowest mean Dice of each case over the attacks that see gradients."""
    lowest: dict[str, float] = {}
    for attack in records.conditions():
        if attack != BLACK_BOX:
            for case_id, dice in _dice_of(records, attack, epsilon).items():
                lowest[case_id] = min(dice, lowest.get(case_id, dice))
    return lowest


def _dice_of(records: RecordFolder, attack: str, epsilon: float) -> dict[str, float]:
    under = records.under(attack, epsilon).values()
    return {record.case_id: mean for record in under if (mean := record.mean_dice) is not None}


def load_findings(path: Path) -> tuple[SanityFinding, ...]:
    """What `save_findings` wrote; nothing where there is no file, as after an evaluation that was stopped."""
    return tuple(SanityFinding.from_json(entry) for entry in json.loads(path.read_text())) if path.is_file() else ()


def save_findings(findings: Sequence[SanityFinding], path: Path) -> None:
    """Write the findings as JSON."""
    path.write_text(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
