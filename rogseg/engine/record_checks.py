"""The sanity checks that ask the records of attacks."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import torch

from rogseg.attacks.sanity_checks import check_more_budget, check_square_against_white_box
from rogseg.cases import worded_cases
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import mean
from rogseg.findings import BAD_GRADIENTS, SanityFinding

__all__ = ["aims_at_dice", "check_records", "lowest_dice", "lowest_white_box_dice"]

MOST_BAD = 0.01  # of the gradients: a few in which one voxel overflows do no harm


def check_records(records: RecordFolder) -> tuple[SanityFinding, ...]:
    """Ask the records: Square against the white-box attacks, a larger epsilon that is weaker, gradients with NaN.

    The first two are told by the Dice, so that they are asked of attacks alone that aim at it.
    """
    findings, by_dice = [], records.conditions() if aims_at_dice(records.identity) else ()
    white, black = (_asked_for_gradients(records, by_dice, whether) for whether in (True, False))
    for epsilon in records.strengths() if white and black else ():
        square, white_box = _lowest_dice(records, black, epsilon), _lowest_dice(records, white, epsilon)
        both = [case_id for case_id in square if case_id in white_box]
        finding = check_square_against_white_box(
            torch.tensor([square[case_id] for case_id in both]),
            torch.tensor([white_box[case_id] for case_id in both]),
        )
        label = strength_label(records.identity, epsilon)
        findings.append(dataclasses.replace(finding, name=f"epsilon {label}: {finding.name}"))
    grown = (_more_epsilon(records, attack) for attack in by_dice)
    asked = (*grown, _bad_gradients(records))
    return (*findings, *(finding for finding in asked if finding is not None))


def aims_at_dice(identity: EvaluationIdentity) -> bool:
    """Whether what counts as a fall is a low Dice: an attack on a class or a volume may leave more of it."""
    return identity.criterion is None or identity.criterion.config["type"] == "DiceBelow"


def _more_epsilon(records: RecordFolder, attack: str) -> SanityFinding | None:
    """Whether a larger epsilon is weaker on the cases that met the attack at each; None where nothing compares.

    Of a cascade a member meets the cases that still stand, which are others at each epsilon.
    """
    dice = {epsilon: found for epsilon in records.strengths() if (found := _dice_of(records, attack, epsilon))}
    shared = set.intersection(*map(set, dice.values())) if dice else set()
    if len(dice) < 2 or not shared:
        return None
    means = {epsilon: mean(of_case[case_id] for case_id in shared) for epsilon, of_case in dice.items()}
    finding = check_more_budget("epsilon", means, label=partial(strength_label, records.identity))
    partly = any(len(of_case) > len(shared) for of_case in dice.values())
    over = f", over the {worded_cases(len(shared))} that met it at each" if partly else ""
    return dataclasses.replace(finding, name=f"{attack}: {finding.name}", seen=finding.seen + over)


def _bad_gradients(records: RecordFolder) -> SanityFinding | None:
    """How many gradients held NaN or infinity under attack; None where none did."""
    bad = [record for record in records.records if record.num_bad_gradients]
    num_bad, num_backward = (
        sum(getattr(record, key) or 0 for record in records.records) for key in ("num_bad_gradients", "num_backward")
    )
    if not bad:
        return None
    return SanityFinding(
        BAD_GRADIENTS,
        "failed" if num_bad > MOST_BAD * num_backward else "warning",
        f"{100 * num_bad / max(num_backward, 1):.3g} % of the gradients held NaN or infinity, in "
        f"{worded_cases(len({record.case_id for record in bad}))}",
        "they were zeroed there, so the attacks saw a part of the gradient or none: look for overflow, 0 / 0, or the "
        "logarithm or root of 0 in the network",
    )


def lowest_dice(records: RecordFolder, epsilon: float) -> dict[str, float]:
    """Lowest mean Dice of each case over all attacks."""
    return _lowest_dice(records, records.conditions(), epsilon)


def lowest_white_box_dice(records: RecordFolder, epsilon: float) -> dict[str, float]:
    """Lowest mean Dice of each case over the attacks that see gradients."""
    return _lowest_dice(records, _asked_for_gradients(records, records.conditions(), True), epsilon)


def _asked_for_gradients(records: RecordFolder, attacks: Sequence[str], whether: bool) -> list[str]:
    """Those of some attacks that asked for a gradient in any case, or for none in all; told by their passes."""
    asked = {record.condition for record in records.records if record.num_backward > 0}
    return [attack for attack in attacks if (attack in asked) is whether]


def _lowest_dice(records: RecordFolder, attacks: Sequence[str], epsilon: float) -> dict[str, float]:
    """Lowest mean Dice of each case over some attacks."""
    lowest: dict[str, float] = {}
    for attack in attacks:
        for case_id, dice in _dice_of(records, attack, epsilon).items():
            lowest[case_id] = min(dice, lowest.get(case_id, dice))
    return lowest


def _dice_of(records: RecordFolder, attack: str, epsilon: float) -> dict[str, float]:
    under = records.under(attack, epsilon).values()
    return {record.case_id: dice for record in under if (dice := record.mean_dice) is not None}
