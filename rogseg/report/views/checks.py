"""Sanity checks as the page lists them: one entry per check and outcome, the failed ones first."""

import dataclasses
from collections.abc import Sequence

from rogseg.findings import NOT_LOOKED_AT, Level, not_examined
from rogseg.report.contents import Contents, Finding

__all__ = ["Check", "checks_of", "not_examined_of", "passed_of"]

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
    """How many checks of a system passed, and how many were made; one that failed in any folder did not pass."""
    of_system = [one for one in findings if one.system in (system, "") and one.name != NOT_LOOKED_AT]
    names = {finding.name for finding in of_system}
    failed = {finding.name for finding in of_system if finding.level != "ok"}
    return len(names - failed), len(names)


def not_examined_of(contents: Contents) -> dict[tuple[str, ...], list[str]]:
    """What the checks leave open, and of which attacked systems; one without a gradient can be asked no more."""
    attacked = (one.name for one in contents.systems if one.differentiable and contents.rows_of(one.name, ("attack",)))
    systems: dict[tuple[str, ...], list[str]] = {}
    for name in attacked:
        left = not_examined({finding.name for finding in contents.findings if finding.system in (name, "")})
        if left:
            systems.setdefault(left, []).append(name)
    return systems
