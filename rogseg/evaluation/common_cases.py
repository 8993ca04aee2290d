"""Records of several evaluations, of the cases that all of them have."""

import copy
import dataclasses
from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.evaluation.case_record import WORST_CASE
from rogseg.evaluation.identity import CaseSelection, CriterionSetting, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["of_common_cases"]

ONE_MU = 1e-3  # means of the clean Dice that differ by less are one, as of two devices


def of_common_cases(folders: Sequence[RecordFolder]) -> list[RecordFolder]:
    """The same records, to be read alone: of the cases that each evaluation has done under all that it has begun.

    So evaluations of more and of fewer cases compare, and those that are not finished. What a criterion asks for, such
    as half of the mean clean Dice, stays that of each evaluation; where it is not one number for a system, the criteria
    say theirs, and so are several.

    Args:
        folders: of evaluations under attack, corruption or certificate.

    Raises:
        ValueError: they have no case in common.
    """
    common = set.intersection(*(_done_cases(folder) for folder in folders))
    if not common:
        listed = ", ".join(str(folder.directory) for folder in folders)
        raise ValueError(f"{listed}: no case is done in all of these; make a report of each")
    identities = [folder.identity for folder in folders]
    return [_narrowed(folder, common, _criterion(folder.identity, identities)) for folder in folders]


def _done_cases(folder: RecordFolder) -> set[str]:
    """Those with a record under each condition and strength that any case has one under.

    Of a cascade a case meets only the members that it needs; its record of the worst case says that it is done.
    """
    done: dict[tuple[str, float], set[str]] = {}
    for record in folder.records:
        done.setdefault((record.condition, record.strength), set()).add(record.case_id)
    whole = [cases | done.get((WORST_CASE, strength), set()) for (_, strength), cases in done.items()]
    return set.intersection(*whole) if whole else set()


def _criterion(identity: EvaluationIdentity, others: Sequence[EvaluationIdentity]) -> CriterionSetting | None:
    criterion = identity.criterion
    if criterion is None or criterion.mu is None or not isinstance(criterion.config.get("threshold"), str):
        return criterion
    alike = [one.criterion for one in others if one.system == identity.system and one.criterion is not None]
    asked = [one.mu for one in alike if one.config == criterion.config and one.mu is not None]
    if max(asked) - min(asked) <= ONE_MU:
        return criterion
    return dataclasses.replace(criterion, config={**criterion.config, "mu": criterion.mu})


def _narrowed(folder: RecordFolder, case_ids: set[str], criterion: CriterionSetting | None) -> RecordFolder:
    identity, narrowed = folder.identity, copy.copy(folder)
    rule = f"{worded_cases(len(case_ids))} that all evaluations here have done ({identity.selection.rule})"
    narrowed.identity = dataclasses.replace(
        identity,
        data={case_id: digest for case_id, digest in identity.data.items() if case_id in case_ids},
        selection=CaseSelection(rule, identity.selection.seed),
        criterion=criterion,
    )
    narrowed._records = {key: record for key, record in folder._records.items() if record.case_id in case_ids}
    return narrowed
