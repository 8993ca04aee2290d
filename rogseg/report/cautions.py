"""What has to be said beside a verdict: how many cases, which checks, what was not tried."""

from rogseg.cases import worded_cases
from rogseg.findings import NOT_LOOKED_AT, STRONGER_CHECKS, is_of_records
from rogseg.report.contents import Contents
from rogseg.report.estimates import FEWEST_CASES, Estimate
from rogseg.report.rows import Row
from rogseg.report.summaries import clean_estimate, estimate_of, reference_strength, worst_rows

__all__ = ["cautions_on", "incomplete_notes", "other_threats", "too_few"]


def cautions_on(contents: Contents, system: str, row: Row, attacked: Estimate, holds: bool) -> tuple[str, ...]:
    """Sentences that belong beside a verdict.

    Args:
        contents: of the report.
        system: its name.
        row: of the attack that the verdict is on.
        attacked: what is left under it.
        holds: whether the verdict is that the network holds.
    """
    cautions = []
    incomplete = incomplete_notes(contents, system)
    if incomplete:
        cautions.append(f"The evaluation is not finished, so these numbers will change: {incomplete[0]}")
    cautions += _notes(contents, system, "No estimate for new cases")
    cautions += _notes(contents, system, "Whether the system was trained")
    cautions += _notes(contents, system, "Measured in one window")
    findings = [finding for finding in contents.findings if finding.system in (system, "")]
    names = {finding.name for finding in findings}
    made = names - {NOT_LOOKED_AT}
    failed = {finding.name for finding in findings if finding.level == "failed"}
    if failed:
        verb = "check has" if len(failed) == 1 else "checks have"
        cautions.append(
            f"{len(failed)} of {len(made)} sanity {verb} failed: the attacks may be weaker than they claim, and the "
            "network less robust than it looks here."
        )
    elif not findings:
        cautions.append("No sanity check was recorded, so nothing shows that the attacks were as strong as they claim.")
    elif all(is_of_records(name) for name in names):
        cautions.append("No sanity check asked the network itself, so a masked gradient would not have been noticed.")
    undercut = [one.seen for one in findings if one.name == STRONGER_CHECKS and one.level != "ok"]
    if undercut:
        cautions.append(f"The checks found more than the attacks did, so less is left than it says: {undercut[0]}.")
    if NOT_LOOKED_AT in names:
        cautions.append(
            "The attacks were too short for a check of the gradients, so nothing shows that they were as strong as they"
            " claim."
        )
    if any(not one.differentiable for one in contents.systems if one.name == system):
        cautions.append(
            "No white-box attack was made, since the network came without a gradient: these attacks only ask for its "
            "answers, and one that sees gradients may do more harm."
        )
    cautions += too_few(attacked.cases)
    if holds:
        cautions.append("Robust means: against the attacks tried here. A stronger attack may exist.")
    attacks = {
        r.condition.name for r in contents.rows_of(system, ("attack",)) if r.condition.norm == row.condition.norm
    }
    if len(attacks) == 1:
        cautions.append(f"One attack was tried ({next(iter(attacks))}); an ensemble of attacks may find more.")
    return tuple(cautions)


def too_few(num_cases: int) -> tuple[str, ...]:
    """The sentence that so many cases give no interval, where they do not."""
    if num_cases >= FEWEST_CASES:
        return ()
    said = "One case is" if num_cases == 1 else f"{worded_cases(num_cases)} are"
    return (f"{said} too few for an interval.",)


def other_threats(contents: Contents, system: str, norm: str) -> tuple[tuple[str, float], ...]:
    """What the attacks of each further threat model left, in a sentence and as a share of the clean value."""
    found = []
    for threat in contents.threats:
        strength = None if threat.norm == norm else reference_strength(contents, system, threat.norm)
        if strength is None:
            continue
        row = next(r for r in worst_rows(contents, system, threat.norm) if r.condition.strength == strength)
        clean, left = clean_estimate(contents, row).value, estimate_of(row, contents.primary)
        if not clean or left.value is None:
            continue
        sentence = (
            f"In the threat model {threat.norm} its {contents.primary.label} goes from {clean:.2f} to {left.value:.2f} "
            f"at {row.condition.label} on {worded_cases(left.cases)}."
        )
        found.append((sentence, left.value / clean))
    return tuple(found)


def incomplete_notes(contents: Contents, system: str) -> list[str]:
    """The notes that say which rows of a system are not over all cases."""
    return _notes(contents, system, "INCOMPLETE")


def _notes(contents: Contents, system: str, beginning: str) -> list[str]:
    """The notes on a system's records that begin so, each once."""
    keys = {row.origin for row in contents.rows if row.system == system}
    notes = (note for origin in contents.origins if origin.key in keys for note in origin.notes)
    return list(dict.fromkeys(note for note in notes if note.startswith(beginning)))
