"""What evaluations say of a measure, which all must say alike before their numbers stand side by side."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["facts_of_measure"]


def facts_of_measure(measure: str, folders: Sequence[RecordFolder]) -> Mapping[str, Any]:
    """What the identities say of a measure: all that have it say the same, as far as their versions noted it.

    Raises:
        ValueError: none has it, or two say something else of it, as after a change of the user's own code.
    """
    found = [(folder, one) for folder in folders for one in folder.identity.measures if one["name"] == measure]
    if not found:
        known = sorted({str(one["name"]) for folder in folders for one in folder.identity.measures})
        raise ValueError(f"none of the records has the measure {measure!r}; they have {', '.join(known)}")
    facts: dict[str, Any] = {}
    said_by: dict[str, RecordFolder] = {}
    for folder, one in found:
        for key, value in one.items():
            if facts.setdefault(key, value) != value:
                now, before = (json.dumps(said, ensure_ascii=False) for said in (value, facts[key]))
                raise ValueError(
                    f"{folder.directory} and {said_by[key].directory} differ in {key} of the measure {measure!r} "
                    f"({now} and {before}), so their numbers do not compare; "
                    "evaluate both with the same, or put what changes its values into its name"
                )
            said_by.setdefault(key, folder)
    return facts
