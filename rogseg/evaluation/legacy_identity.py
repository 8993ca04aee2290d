"""Headers of records that versions before schema 2 wrote, read as identities that say what was not noted."""

from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity import (
    CaseSelection,
    Condition,
    CriterionSetting,
    EvaluatedSystem,
    EvaluationIdentity,
    ThreatSetting,
)
from rogseg.metrics import HD95, NSD, Dice

__all__ = ["NOT_RECORDED", "is_legacy_header", "read_legacy_identity"]

NOT_RECORDED = "not recorded"
OLD_NSD = {**NSD(1.0).describe(), "name": "NSD", "tolerance": NOT_RECORDED}


def is_legacy_header(identity: Mapping[str, Any]) -> bool:
    """Whether a header is of before schema 2."""
    return "versions" not in identity and "checkpoint" in identity


def read_legacy_identity(
    old: Mapping[str, Any], rogseg: str | None, records: Sequence[CaseRecord]
) -> EvaluationIdentity:
    """Read an old header.

    Args:
        old: what stands under ``identity`` in the header of an attack or a test.
        rogseg: the version that the header names beside it, if any.
        records: beside the header; that of a test names neither its cases nor its classes.

    Raises:
        ValueError: a key is missing, or its value is of another type.
    """
    try:
        is_attack = "attack" in old
        cases = old["cases"] if is_attack else [record.case_id for record in records]
        num_classes = max((len(record.dice) for record in records), default=0)
        identity = EvaluationIdentity(
            system=EvaluatedSystem(
                kind="rogseg checkpoint",
                name=NOT_RECORDED,
                digest=old["checkpoint"],
                options={"plan": old["plan"], "model": old["config"] if is_attack else old["model"]},
            ),
            task=old["task"],
            classes=tuple(old.get("classes", [f"class {number + 1}" for number in range(num_classes)])),
            channels=(),
            data=dict.fromkeys(cases, NOT_RECORDED),
            condition=Condition("attack", old["attack_name"], old["attack"]) if is_attack else None,
            threat=ThreatSetting(old["threat"]["type"], old["threat"]["unit"], {}) if is_attack else None,
            criterion=CriterionSetting(old["criterion"], None, "the evaluated cases", tuple(cases))
            if is_attack
            else None,
            protocol=old["protocol"] if is_attack else "raw grid",
            window_size=None if is_attack else tuple(old["inference"]["window_size"]),
            overlap=old["overlap"] if is_attack else old["inference"]["overlap"],
            measures=(Dice().describe(),) if is_attack else (Dice().describe(), OLD_NSD, HD95().describe()),
            selection=CaseSelection(old["selection"], old["seed"]) if is_attack else CaseSelection(NOT_RECORDED, None),
            seed=old.get("seed"),
            fold=None,
            leak=NOT_RECORDED,
            versions={"rogseg": rogseg or NOT_RECORDED, "schema": 1},
        )
        return EvaluationIdentity.from_json(identity.to_json())  # which looks at the type of every value
    except (KeyError, TypeError) as error:
        raise ValueError(f"the identity of an older version lacks a key: {error}") from error
