"""What a sanity check saw."""

from dataclasses import dataclass
from typing import Literal

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

    @property
    def passed(self) -> bool:
        """Nothing suspicious."""
        return self.level == "ok"
