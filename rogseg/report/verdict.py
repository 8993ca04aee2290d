"""The verdict: one sentence per system that a physician understands, no stronger than the numbers it is made from.

The words for how much of the accuracy is lost are fixed here, so that two reports use the same word for the same loss.
"""

import dataclasses
from typing import Literal

from rogseg.report.contents import Contents, Strength
from rogseg.report.estimates import FEWEST_CASES, Estimate
from rogseg.report.rows import Row
from rogseg.report.summaries import estimate_of, fell_of, reference_strength, worst_rows

__all__ = ["Tone", "Verdict", "verdict_of"]

Tone = Literal["holds", "loses", "fails", "unsure", "untested"]

# Share of the clean value that is lost, up to which a word holds.
LOSSES: tuple[tuple[float, str, Tone], ...] = (
    (0.05, "keeps nearly all of its accuracy", "holds"),
    (0.15, "loses a small part of its accuracy", "holds"),
    (0.30, "loses a noticeable part of its accuracy", "loses"),
    (0.60, "loses a large part of its accuracy", "loses"),
    (0.85, "loses most of its accuracy", "fails"),
    (float("inf"), "fails", "fails"),
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a page says first.

    Args:
        system: of which.
        headline: a few words.
        sentence: the whole statement with its numbers.
        cautions: why to hesitate: failed checks, few cases, attacks of one kind only.
        tone: for the colour beside it.
        clean: mean of the primary measure without attack.
        attacked: the same at the reference epsilon under the worst attack.
        fell: share of cases that fell there.
        strength: the reference epsilon in its units; None without an attack.
    """

    system: str
    headline: str
    sentence: str
    cautions: tuple[str, ...]
    tone: Tone
    clean: Estimate
    attacked: Estimate
    fell: Estimate
    strength: Strength | None
    origins: tuple[str, str] = ("", "")


def verdict_of(contents: Contents, system: str) -> Verdict:
    """The verdict on a system at the reference epsilon of its first threat model."""
    measure = contents.primary
    nothing = Estimate(None, None, None, 0)
    for threat in contents.threats:
        reference = reference_strength(contents, system, threat.norm)
        if reference is not None:
            break
    else:
        clean = next((estimate_of(row, measure) for row in contents.rows_of(system, ("clean",))), nothing)
        known = "so they say nothing about its robustness"
        if contents.rows_of(system, ("certificate",)):
            known = "what is proved of its smoothed version stands under Certificates"
        elif contents.rows_of(system, ("corruption",)):
            known = "so they say nothing about an adversary; what scanners do to it stands under Corruptions"
        sentence = (
            f"On {_cases(clean.cases)} this network reaches a mean {measure.label} of {_worded(clean)} on unchanged "
            f"images; no attack is in these records, {known}."
        )
        return Verdict(system, "was not attacked", sentence, (), "untested", clean, nothing, nothing, None)
    row = next(r for r in worst_rows(contents, system, threat.norm) if r.condition.strength == reference)
    clean_row = contents.clean_of(row)
    clean = nothing
    if clean_row is not None:
        # Like with like: the clean value of the cases that were attacked.
        ids = {case.case_id for case in row.cases}
        same = tuple(case for case in clean_row.cases if case.case_id in ids)
        clean = estimate_of(dataclasses.replace(clean_row, cases=same), measure)
    strength = next(s for s in threat.strengths if s.value == reference)
    attacked, fell = estimate_of(row, measure), fell_of(row)
    if clean.value is None or attacked.value is None or clean.value <= 0:
        sentence = "The records hold no clean and attacked value of the same cases, so no verdict can be given."
        return Verdict(system, "has no verdict", sentence, (), "untested", clean, attacked, fell, strength)
    words, tone = next((words, tone) for limit, words, tone in LOSSES if 1 - attacked.value / clean.value <= limit)
    cautions = _cautions(contents, system, row, attacked, tone)
    levels = [finding.level for finding in contents.findings if finding.system in (system, "")]
    # Green only where checks were made and passed, and where all cases are in.
    if "failed" in levels or (tone == "holds" and (not levels or _incomplete(contents, system))):
        tone = "unsure"
    return Verdict(
        system=system,
        headline=words,
        sentence=_sentence(contents, threat.norm, strength, words, clean, attacked, fell),
        cautions=cautions,
        tone=tone,
        clean=clean,
        attacked=attacked,
        fell=fell,
        strength=strength,
        origins=(clean_row.origin if clean_row else "", row.origin),
    )


def _sentence(
    contents: Contents,
    norm: str,
    strength: Strength,
    words: str,
    clean: Estimate,
    attacked: Estimate,
    fell: Estimate,
) -> str:
    # Scanner units, as of MR, tell a physician nothing; HU do.
    raw = f", at most {strength.raw} here" if strength.raw and "units" not in strength.raw else ""
    detail = f" ({strength.fraction}{raw})".replace("(, ", "(") if strength.fraction or raw else ""
    how = (
        f"every voxel may be changed by up to {strength.label} of the intensity range{detail}"
        if norm == "Linf"
        else f"the image may be changed by up to {strength.label} in the threat model {norm}{detail}"
    )
    what = "overlap with the expert's outline (Dice; 1 is perfect)"
    if contents.primary.name.lower() != "dice":
        what = f"mean {contents.primary.heading}"
    sentence = (
        f"When {how}, this network {words}: its {what} goes from {_worded(clean)} to {_worded(attacked)} on average "
        f"over {_cases(attacked.cases)}"
    )
    if fell.value is not None and contents.criterion:
        count = round(fell.value * fell.cases)
        verb = "falls" if count == 1 else "fall"
        sentence += f", and {count} of {fell.cases} {verb} {contents.criterion}"
    return sentence + "."


def _cautions(contents: Contents, system: str, row: Row, attacked: Estimate, tone: Tone) -> tuple[str, ...]:
    cautions = []
    incomplete = _incomplete(contents, system)
    if incomplete:
        cautions.append(f"The evaluation is not finished, so these numbers will change: {incomplete[0]}")
    cautions += _notes(contents, system, "No estimate for new cases")
    findings = [finding for finding in contents.findings if finding.system in (system, "")]
    names = {finding.name for finding in findings}
    failed = {finding.name for finding in findings if finding.level == "failed"}
    if failed:
        verb = "check has" if len(failed) == 1 else "checks have"
        cautions.append(
            f"{len(failed)} of {len(names)} sanity {verb} failed: the attacks may be weaker than they claim, and the "
            "network less robust than it looks here."
        )
    elif not findings:
        cautions.append("No sanity check was recorded, so nothing shows that the attacks were as strong as they claim.")
    if attacked.cases < FEWEST_CASES:
        cautions.append(
            f"{_cases(attacked.cases)} are too few for an interval."
            if attacked.cases != 1
            else "One case is too few for an interval."
        )
    if tone == "holds":
        cautions.append("Robust means: against the attacks tried here. A stronger attack may exist.")
    attacks = {
        r.condition.name for r in contents.rows_of(system, ("attack",)) if r.condition.norm == row.condition.norm
    }
    if len(attacks) == 1:
        cautions.append(f"One attack was tried ({next(iter(attacks))}); an ensemble of attacks may find more.")
    return tuple(cautions)


def _incomplete(contents: Contents, system: str) -> list[str]:
    """The notes that say which rows of a system are not over all cases."""
    return _notes(contents, system, "INCOMPLETE")


def _notes(contents: Contents, system: str, beginning: str) -> list[str]:
    """The notes on a system's records that begin so, each once."""
    keys = {row.origin for row in contents.rows if row.system == system}
    notes = (note for origin in contents.origins if origin.key in keys for note in origin.notes)
    return list(dict.fromkeys(note for note in notes if note.startswith(beginning)))


def _worded(estimate: Estimate) -> str:
    if estimate.value is None:
        return "an unknown value"
    text = f"{estimate.value:.2f}"
    if estimate.lower is not None and estimate.upper is not None:
        text += f" (95% interval {estimate.lower:.2f} to {estimate.upper:.2f})"
    return text


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
