"""What ties records and findings to the evaluation that made them: short keys of its identity."""

import dataclasses
import json
import zlib
from typing import Any

from rogseg.evaluation.identity import EvaluationIdentity

__all__ = ["evaluation_key", "record_keys"]


def evaluation_key(identity: EvaluationIdentity) -> str:
    """Of the system, of what is done to it within which threat model, and of the protocol."""
    return _checksum(_made_by(identity))


def record_keys(identity: EvaluationIdentity, case_id: str) -> tuple[str, str]:
    """The key that a record of a case bears, and the one that earlier versions wrote, which says less.

    The first also says on which files it was made.
    """
    made = _made_by(identity)
    return _checksum([*made, identity.data.get(case_id)]), _checksum(made[:2])


def _made_by(identity: EvaluationIdentity) -> list[Any]:
    condition, threat = (part and dataclasses.asdict(part) for part in (identity.condition, identity.threat))
    return [identity.system.digest, condition, threat, identity.protocol]


def _checksum(content: list[Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"
