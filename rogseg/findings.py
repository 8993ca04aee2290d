"""What sanity checks saw, and ``sanity.json``, which keeps it beside the records."""

import dataclasses
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from rogseg.foreign import decode, read_json
from rogseg.storage import write_json_atomic

__all__ = [
    "ALMOST_UNBOUNDED",
    "BAD_GRADIENTS",
    "LEVELS",
    "MORE_ITERATIONS",
    "NOT_LOOKED_AT",
    "OF_SEARCHES",
    "SANITY_FILE",
    "STRONGER_CHECKS",
    "WEAKER_SQUARE",
    "Level",
    "SanityFinding",
    "is_of_records",
    "load_findings",
    "not_examined",
    "save_findings",
]

SANITY_FILE = "sanity.json"
REMEDY = "delete it and run the evaluation again"

NOT_LOOKED_AT = "the network itself was not examined"
"""Name of the finding where the budget allowed no check."""
CALLED_BEFORE = {"the network was looked at": NOT_LOOKED_AT}
"""Names that files of earlier versions hold."""
STRONGER_CHECKS = "the attacks on record are as strong as those of the checks"
"""Name of the finding that compares what an evaluation found with what its checks found."""
BAD_GRADIENTS = "gradients are finite under attack"
MORE_ITERATIONS = "more iterations is not weaker"
ALMOST_UNBOUNDED = "an almost unbounded attack breaks the model"
WEAKER_SQUARE = "white-box attacks are at least as strong as Square"
OF_SEARCHES = {
    MORE_ITERATIONS: "whether more iterations find more",
    ALMOST_UNBOUNDED: "whether nearly the whole intensity box breaks the network",
    WEAKER_SQUARE: "whether Square, which sees no gradient, finds more",
}
"""Checks that attack the network themselves, which the quick ones often have no passes for, and what each asks."""
Level = Literal["ok", "warning", "failed"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From what is fine to what is not."""


@dataclasses.dataclass(frozen=True)
class SanityFinding:
    """What one check saw.

    Args:
        name: of the check.
        level: "ok" where nothing is suspicious, "warning" where it needs an explanation, "failed" where the numbers of
            the evaluation should not be believed.
        seen: the numbers.
        meaning: what it may mean if it is not "ok".
    """

    name: str
    level: Level
    seen: str
    meaning: str

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made of a finding; one written before there were levels passed or failed."""
        level: Level = entry["level"] if "level" in entry else "ok" if entry["passed"] else "failed"
        name = CALLED_BEFORE.get(entry["name"], entry["name"])
        return cls(name, level, entry["seen"], entry["meaning"])

    @property
    def passed(self) -> bool:
        """Nothing suspicious."""
        return self.level == "ok"


def is_of_records(name: str) -> bool:
    """Whether a check of that name asked the records of attacks alone, which it names, and not the network."""
    return ": " in name or name == BAD_GRADIENTS


def not_examined(names: Collection[str]) -> tuple[str, ...]:
    """What the checks of those names leave open about a network, in words; nothing after the full checks."""
    if not any(name != NOT_LOOKED_AT and not is_of_records(name) for name in names):
        return ("the network itself (its outputs and its gradients)", *OF_SEARCHES.values())
    return tuple(words for name, words in OF_SEARCHES.items() if name not in names)


def load_findings(path: Path, of: str | None = None) -> tuple[SanityFinding, ...]:
    """What `save_findings` wrote; nothing where there is no file, as after an evaluation that was stopped.

    Args:
        path: of the file.
        of: key of the records that it lies beside, `rogseg.evaluation.record_folder.RecordFolder.key`; None asks only
            whether the file is one of findings.

    Raises:
        ValueError: the file is damaged, not of this kind, changed since it was written, or of another evaluation.
    """
    if not path.exists():
        return ()
    content = read_json(path, REMEDY)
    try:
        entries = decode(content, list[dict[str, Any]], "it")
        found = tuple(
            decode(dataclasses.asdict(SanityFinding.from_json(entry)), SanityFinding, "a finding") for entry in entries
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: not the findings of sanity checks ({error}); {REMEDY}") from error
    checksums = {entry.get("crc") for entry in entries}  # files of earlier versions have none
    if of is not None and checksums - {None} and checksums != {_checksum(entries, of)}:
        raise ValueError(
            f"{path}: not what was written there for the records beside it, its checksum differs; take the file from a "
            f"backup, or {REMEDY}"
        )
    return found


def save_findings(findings: Sequence[SanityFinding], path: Path, of: str) -> None:
    """Write the findings of an evaluation, of whose records ``of`` is the key, as JSON.

    Each bears the checksum of all, so that none can be changed, left out or taken for that of another evaluation.
    """
    entries = [dataclasses.asdict(finding) for finding in findings]
    write_json_atomic(path, [{**entry, "crc": _checksum(entries, of)} for entry in entries])


def _checksum(entries: Sequence[Mapping[str, Any]], of: str) -> str:
    bare = [{key: value for key, value in entry.items() if key != "crc"} for entry in entries]
    return f"{zlib.crc32(json.dumps([of, bare], sort_keys=True).encode()):08x}"
