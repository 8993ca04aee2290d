"""The sanity checks that run with every evaluation."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from rogseg.attacks.sanity_checks import (
    Effort,
    SanityFinding,
    check_more_budget,
    check_square_against_white_box,
    run_checks,
)
from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Case
from rogseg.engine.attacking.case_attacker import MakeThreat, scored_model
from rogseg.evaluation.case_record import CLEAN, WORST_CASE
from rogseg.evaluation.epsilon_label import norm_of_threat, strength_label
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import summarise_all
from rogseg.foreign import decode, read_json
from rogseg.storage import write_json_atomic
from rogseg.systems.base import System

__all__ = ["BLACK_BOX", "check_model", "check_records", "load_findings", "save_findings"]

BLACK_BOX = "Square"
LINF_EPSILON = 8 / 255
FINDINGS_REMEDY = "run the evaluation again"


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
            finding = check_more_budget("epsilon", means, label=partial(strength_label, records.identity))
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
    """What `save_findings` wrote; nothing where there is no file, as after an evaluation that was stopped.

    Raises:
        ValueError: the file is damaged, or not of this kind.
    """
    if not path.exists():
        return ()
    content = read_json(path, FINDINGS_REMEDY)
    try:
        found = map(SanityFinding.from_json, decode(content, list[dict[str, Any]], "it"))
        return tuple(decode(dataclasses.asdict(finding), SanityFinding, "a finding") for finding in found)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: not the findings of sanity checks ({error}); {FINDINGS_REMEDY}") from error


def save_findings(findings: Sequence[SanityFinding], path: Path) -> None:
    """Write the findings as JSON."""
    write_json_atomic(path, [dataclasses.asdict(finding) for finding in findings])
