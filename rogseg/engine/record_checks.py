"""The sanity checks that ask the records of attacks."""

import dataclasses
from functools import partial

import torch

from rogseg.attacks.sanity_checks import check_more_budget, check_square_against_white_box
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import summarise_all
from rogseg.findings import SanityFinding

__all__ = ["BLACK_BOX", "check_records", "lowest_white_box_dice"]

BLACK_BOX = "Square"


def check_records(records: RecordFolder) -> tuple[SanityFinding, ...]:
    """Ask the records: Square against the white-box attacks, and whether a larger epsilon is ever weaker."""
    findings = []
    if {BLACK_BOX} < set(records.conditions()):
        for epsilon in records.strengths():
            square, white_box = _dice_of(records, BLACK_BOX, epsilon), lowest_white_box_dice(records, epsilon)
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


def lowest_white_box_dice(records: RecordFolder, epsilon: float) -> dict[str, float]:
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
