"""Sanity checks as the page lists them: one entry per check and outcome, the failed ones first."""

import dataclasses
from collections.abc import Sequence

from rogseg.findings import Level
from rogseg.report.contents import Finding

__all__ = ["Check", "checks_of", "passed_of"]

LEVELS: tuple[Level, ...] = ("failed", "warning", "ok")


@dataclasses.dataclass(frozen=True)
class Check:
    """A check with one outcome: the networks that had it, and what was seen, each sentence once."""

    name: str
    level: Level
    meaning: str
    systems: tuple[str, ...]
    seen: tuple[str, ...]


def checks_of(findings: Sequence[Finding]) -> tuple[Check, ...]:
    """Group the findings; folders of one network that saw the same count once."""
    groups: dict[tuple[int, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: LEVELS.index(finding.level)):
        groups.setdefault((LEVELS.index(finding.level), finding.name), []).append(finding)
    return tuple(
        Check(
            name=name,
            level=LEVELS[level],
            meaning=group[0].meaning,
            systems=tuple(dict.fromkeys(finding.system for finding in group if finding.system)),
            seen=tuple(dict.fromkeys(finding.seen for finding in group)),
        )
        for (level, name), group in groups.items()
    )


def passed_of(findings: Sequence[Finding], system: str) -> tuple[int, int]:
    """How many checks of a system passed, and how many there are; one that failed in any folder did not pass."""
    of_system = [finding for finding in findings if finding.system in (system, "")]
    names = {finding.name for finding in of_system}
    failed = {finding.name for finding in of_system if finding.level != "ok"}
    return len(names - failed), len(names)
