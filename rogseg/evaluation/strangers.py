"""Whether the records of a folder can be those of the header beside them: two files that are easily mixed up."""

import math
from collections.abc import Sequence

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import EvaluationIdentity

__all__ = ["why_strangers"]

SAME_MU = 1e-9


def why_strangers(identity: EvaluationIdentity, records: Sequence[CaseRecord]) -> str:
    """What in the records cannot be of this evaluation, as the end of a sentence; empty where nothing is.

    Records of older versions do not say what they were made by. Two networks on the same cases are told apart by the
    mean of their clean Dice there, where the header has it, and two ensembles on one network are not.
    """
    number, seed = len(identity.classes), identity.seed
    for record in records:
        lengths = {len(values) for values in (*record.clean.values(), *record.measures.values())}
        if record.case_id not in identity.data or not lengths <= {number}:
            return f"its record of {record.case_id!r} is of another case or of other classes than the header says"
        if seed is not None and record.seed != seed:
            return f"its record of {record.case_id!r} was made with seed {record.seed}, not {seed} as the header says"
    strange, condition = _strange_condition(identity, records), identity.condition
    if strange is not None:
        said = "no attack or corruption" if condition is None else f"{condition.kind} {condition.name!r}"
        return f"its records under {strange!r} are of another evaluation than the header says, {said}"
    mean, criterion = _mean_clean_dice(identity, records), identity.criterion
    if mean is not None and criterion is not None and criterion.mu is not None and abs(mean - criterion.mu) > SAME_MU:
        return f"the mean clean Dice of its records is {mean:.6g}, not {criterion.mu:.6g} as the header says"
    made_by = {one.made_by: f"{one.case_id!r} under {one.condition!r}" for one in records if one.made_by is not None}
    if len(made_by) > 1:
        one, other, *_ = made_by.values()
        return f"its records of {one} and of {other} were made of two networks, or by two attacks"
    return ""


def _strange_condition(identity: EvaluationIdentity, records: Sequence[CaseRecord]) -> str | None:
    """A condition that this evaluation does not have."""
    under, condition = [record for record in records if record.condition != CLEAN], identity.condition
    if condition is None:
        known = set()
    elif condition.kind == "corruption":
        known = set(condition.config.get("corruptions", ()))
    elif condition.kind == "certificate":
        known = {record.condition for record in under if record.certificate is not None}
    elif condition.kind == "transfer" or _are_of_one_attack(under):
        known = {condition.name}
    else:
        return None  # members of an ensemble
    return next((record.condition for record in under if record.condition not in known), None)


def _are_of_one_attack(under: Sequence[CaseRecord]) -> bool:
    """Whether they are no ensemble's, which has the worst of its members, too, unless it was stopped in its first."""
    return len({one.condition for one in under}) == 1 < len({one.key for one in under}) and not any(
        one.condition == WORST_CASE for one in under
    )


def _mean_clean_dice(identity: EvaluationIdentity, records: Sequence[CaseRecord]) -> float | None:
    """Of the cases that mu is the mean over; None until all of them are measured."""
    cases = () if identity.criterion is None else identity.criterion.mu_cases
    clean = {record.case_id: record.mean_clean for record in records if record.condition == CLEAN}
    means = [mean for case_id in cases if (mean := clean.get(case_id)) is not None]
    return math.fsum(means) / len(means) if means and all(case_id in clean for case_id in cases) else None
