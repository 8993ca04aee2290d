"""Records of several evaluations, of the cases that all of them have."""

import copy
import dataclasses
from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.evaluation.case_record import WORST_CASE
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["of_common_cases"]


def of_common_cases(folders: Sequence[RecordFolder]) -> list[RecordFolder]:
    """The same records, to be read alone: of the cases that each evaluation has done under all that it has begun.

    So evaluations of more and of fewer cases compare, and those that are not finished. What a criterion asks for, such
    as half of the mean clean Dice, stays that of each evaluation.

    Args:
        folders: of evaluations under attack, corruption or certificate.

    Raises:
        ValueError: they have no case in common.
    """
    common = set.intersection(*(_done_cases(folder) for folder in folders))
    if not common:
        listed = ", ".join(str(folder.directory) for folder in folders)
        raise ValueError(f"{listed}: no case is done in all of these; make a report of each")
    return [_narrowed(folder, common) for folder in folders]


def _done_cases(folder: RecordFolder) -> set[str]:
    """Those with a record under each condition and strength that any case has one under.

    Of a cascade a case meets only the members that it needs; its record of the worst case says that it is done.
    """
    done: dict[tuple[str, float], set[str]] = {}
    for record in folder.records:
        done.setdefault((record.condition, record.strength), set()).add(record.case_id)
    whole = [cases | done.get((WORST_CASE, strength), set()) for (_, strength), cases in done.items()]
    return set.intersection(*whole) if whole else set()


def _narrowed(folder: RecordFolder, case_ids: set[str]) -> RecordFolder:
    identity, narrowed = folder.identity, copy.copy(folder)
    rule = f"{worded_cases(len(case_ids))} that all evaluations here have done, of {identity.selection.rule}"
    narrowed.identity = dataclasses.replace(
        identity,
        data={case_id: digest for case_id, digest in identity.data.items() if case_id in case_ids},
        selection=CaseSelection(rule, identity.selection.seed),
    )
    narrowed._records = {key: record for key, record in folder._records.items() if record.case_id in case_ids}
    return narrowed
