"""What a sanity check saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

__all__ = ["Level", "SanityFinding"]

Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
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
        return cls(entry["name"], level, entry["seen"], entry["meaning"])

    @property
    def passed(self) -> bool:
        """Nothing suspicious."""
        return self.level == "ok"
