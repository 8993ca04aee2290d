"""An identity of an evaluation to change one field of, and records to fill a folder with."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN, DICE, SCHEMA_VERSION, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import (
    CaseSelection,
    Condition,
    CriterionSetting,
    EvaluatedSystem,
    EvaluationIdentity,
    ThreatSetting,
)
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice

IDENTITY = EvaluationIdentity(
    system=EvaluatedSystem("rogseg", "best", "abc", {"overlap": 0.5}),
    task="Phantom",
    classes=("organ", "lesion"),
    channels=({"name": "CT", "unit": "HU"},),
    data={"a": "digest of a", "b": "digest of b"},
    condition=Condition("attack", "apgd_ce", {"type": "APGD", "num_iterations": 5}),
    threat=ThreatSetting("LinfThreat", "fraction", {}),
    criterion=CriterionSetting({"type": "DiceBelow"}, None, "the evaluated cases", ("a", "b")),
    protocol="volume",
    window_size=(16, 16, 16),
    overlap=0.5,
    measures=(Dice().describe(),),
    selection=CaseSelection("all", None),
    seed=0,
    fold=0,
    leak="held out",
    versions={"rogseg": "0.1.0", "schema": SCHEMA_VERSION},
)


def identity_with(path: str, value: Any) -> EvaluationIdentity:
    """`IDENTITY` with another value at a dotted path."""
    return replaced(IDENTITY, path.split("."), value)


def replaced(holder: Any, names: list[str], value: Any) -> Any:
    if not names:
        return value
    first, *rest = names
    if isinstance(holder, Mapping):
        return {**holder, first: replaced(holder.get(first), rest, value)}
    return dataclasses.replace(holder, **{first: replaced(getattr(holder, first), rest, value)})


def of_cases(num_cases: int, **changes: Any) -> EvaluationIdentity:
    """`IDENTITY` over cases named ``case_0`` and on."""
    data = {f"case_{number}": f"digest {number}" for number in range(num_cases)}
    return dataclasses.replace(IDENTITY, data=data, **changes)


def dice_record(
    case_id: str,
    condition: str,
    dice: tuple[float | None, ...],
    strength: float = 8 / 255,
    success: bool | None = False,
) -> CaseRecord:
    """A record that holds Dice alone, of an attack that asked for a gradient unless it is Square."""
    if condition == CLEAN:
        return CaseRecord.of_clean(case_id, {DICE: dice})
    moved, clean = (strength * 5,), {DICE: (0.9, 0.8)}
    made = CaseRecord(case_id, condition, strength, clean, {DICE: dice}, success, strength, moved, moved)
    return dataclasses.replace(made, num_backward=int(condition != "Square"))


def cascade(directory: Path, num_fallen: Mapping[float, int], num_cases: int, digest: str = "abc") -> RecordFolder:
    """A cascade whose first member fells the first cases, of which there are so many at each epsilon.

    The further back a case, the better it stands; it loses a little with epsilon under both members.
    """
    folder = RecordFolder(directory, replaced(of_cases(num_cases), ["system", "digest"], digest))
    for number in range(num_cases):
        case_id = f"case_{number}"
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.9)))
        for epsilon, fallen in num_fallen.items():
            falls = number < fallen
            left = 0.1 if falls else 0.5 + 0.03 * number - epsilon
            folder.add(dice_record(case_id, "APGD-CE", (left, left), epsilon, falls))
            if not falls:
                folder.add(dice_record(case_id, "Square", (left, left), epsilon))
            folder.add(dice_record(case_id, WORST_CASE, (left, left), epsilon, falls))
    return folder
