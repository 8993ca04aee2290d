"""The verdict: one sentence per system that a physician understands, no stronger than the numbers it is made from.

The words for how much of the accuracy is lost are fixed here, so that two reports use the same word for the same loss.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

from rogseg.cases import worded_cases
from rogseg.findings import NOT_LOOKED_AT, STRONGER_CHECKS, is_of_records
from rogseg.report.cautions import cautions_on, incomplete_notes, other_threats
from rogseg.report.contents import TISSUE_ALONE, Contents, Strength
from rogseg.report.estimates import Estimate
from rogseg.report.rows import Row
from rogseg.report.summaries import clean_estimate, estimate_of, fell_of, reference_strength, worst_rows

__all__ = ["Tone", "Verdict", "verdict_of"]

Tone = Literal["holds", "loses", "fails", "unsure", "untested"]

NO_ESTIMATE = Estimate(None, None, None, 0)
# Share of the clean value that is lost, up to which a word holds.
LOSSES: tuple[tuple[float, str, Tone], ...] = (
    (0.05, "keeps nearly all of its accuracy", "holds"),
    (0.15, "loses a small part of its accuracy", "holds"),
    (0.30, "loses a noticeable part of its accuracy", "loses"),
    (0.60, "loses a large part of its accuracy", "loses"),
    (0.85, "loses most of its accuracy", "fails"),
    (float("inf"), "fails", "fails"),
)
POOR = 0.5  # of a clean value: below it, that little is lost says little
HOLDS_UP_TO = max(limit for limit, _, tone in LOSSES if tone == "holds")


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
        origins: keys of the records that clean and attacked are from.
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
    references = ((threat, reference_strength(contents, system, threat.norm)) for threat in contents.threats)
    found = next(((threat, reference) for threat, reference in references if reference is not None), None)
    if found is None:
        return _verdict_without_attack(contents, system)
    threat, reference = found
    row = next(r for r in worst_rows(contents, system, threat.norm) if r.condition.strength == reference)
    strength = threat.strength_of(system, reference)
    clean_row, measure = contents.clean_of(row), contents.primary
    clean = clean_estimate(contents, row)  # like with like: of the cases that were attacked
    attacked, fell = estimate_of(row, measure), fell_of(row)
    origins = (clean_row.origin if clean_row else "", row.origin)
    is_share_kept = measure.better == "higher"  # of a distance or an error nothing is kept
    if clean.value is None or attacked.value is None or clean.value <= 0 or not is_share_kept:
        sentence = "The records hold no clean and attacked value of the same cases, so no verdict can be given."
        if not is_share_kept:
            sentence = f"The first measure is {measure.label}, of which more is not better, so no verdict can be given."
        elif clean.value is not None and clean.value <= 0:
            sentence = f"Unattacked, this network reaches a mean {measure.label} of 0, so there was nothing to attack."
        return Verdict(system, "has no verdict", sentence, (), "untested", clean, attacked, fell, strength, origins)
    words, tone = next((words, tone) for limit, words, tone in LOSSES if 1 - attacked.value / clean.value <= limit)
    others = other_threats(contents, system, threat.norm)
    is_poor = measure.bounds == (0.0, 1.0) and clean.value < POOR
    poor = f"It reaches only {clean.value:.2f} on unchanged images, so it has little to lose."
    cautions = (
        *((poor,) if is_poor else ()),
        *(sentence for sentence, _ in others),
        *cautions_on(contents, system, row, attacked, tone == "holds"),
    )
    findings = [finding for finding in contents.findings if finding.system in (system, "")]
    levels = [finding.level for finding in findings if finding.name != NOT_LOOKED_AT]
    is_asked = any(finding.name != NOT_LOOKED_AT and not is_of_records(finding.name) for finding in findings)
    # Green only where there was something to lose, checks were made and passed, all cases are in, and no other threat
    # model says otherwise.
    falls = any(1 - left > HOLDS_UP_TO for _, left in others)
    is_undercut = any(finding.name == STRONGER_CHECKS and finding.level != "ok" for finding in findings)
    doubtful = is_poor or falls or not is_asked or is_undercut or bool(incomplete_notes(contents, system))
    if "failed" in levels or (tone == "holds" and doubtful):
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
        origins=origins,
    )


def _verdict_without_attack(contents: Contents, system: str) -> Verdict:
    clean_rows = contents.rows_of(system, ("clean",))
    clean = estimate_of(clean_rows[0], contents.primary) if clean_rows else NO_ESTIMATE
    if transfers := contents.rows_of(system, ("transfer",)):
        return _verdict_of_transfers(contents, transfers, clean)
    known = "so they say nothing about its robustness"
    if contents.rows_of(system, ("certificate",)):
        known = "what is proved of its smoothed version stands under Certificates"
    elif contents.rows_of(system, ("corruption",)):
        known = "so they say nothing about an adversary; what scanners do to it stands under Corruptions"
    sentence = (
        f"On {worded_cases(clean.cases)} this network reaches a mean {contents.primary.label} of {_worded(clean)} on "
        f"unchanged images; no attack is in these records, {known}."
    )
    return Verdict(system, "was not attacked", sentence, (), "untested", clean, NO_ESTIMATE, NO_ESTIMATE, strength=None)


def _verdict_of_transfers(contents: Contents, transfers: Sequence[Row], clean: Estimate) -> Verdict:
    """What is said of a network that was given the volumes of others alone."""
    values = [estimate_of(row, contents.primary).value for row in transfers]
    lowest = transfers[min(range(len(values)), key=lambda place: math.inf if (v := values[place]) is None else v)]
    attacked, condition = estimate_of(lowest, contents.primary), lowest.condition
    clean_row = contents.clean_of(lowest)
    clean = clean if clean_row is None else clean_estimate(contents, lowest)  # of the cases that were given volumes
    sentence = (
        f"This network was not attacked itself; it was given volumes that were made on "
        f"{' and '.join(dict.fromkeys(row.condition.surrogate for row in transfers))}. Its mean "
        f"{contents.primary.label} on {worded_cases(attacked.cases)} goes from {_worded(clean)} to {_worded(attacked)} "
        f"under the worst of them ({condition.title}, {condition.label}). An attack on the network itself may do more."
    )
    return Verdict(
        system=lowest.system,
        headline="was not attacked itself",
        sentence=sentence,
        cautions=(),
        tone="untested",
        clean=clean,
        attacked=NO_ESTIMATE,
        fell=NO_ESTIMATE,
        strength=None,
        origins=(clean_row.origin if clean_row else "", lowest.origin),
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
    how = _worded_change(norm, strength)
    what = "overlap with the expert's outline (Dice; 1 is perfect)"
    if contents.primary.name.lower() != "dice":
        what = f"mean {contents.primary.heading}"
    sentence = (
        f"When {how}, this network {words}: its {what} goes from {_worded(clean)} to {_worded(attacked)} on average "
        f"over {worded_cases(attacked.cases)}"
    )
    if fell.value is not None and contents.criterion:
        count = round(fell.value * fell.cases)
        verb = "falls" if count == 1 else "fall"
        sentence += f", and {count} of {fell.cases} {verb} {contents.criterion}"
    return sentence + "."


def _worded_change(norm: str, strength: Strength) -> str:
    # Scanner units, as of MR, tell a physician nothing; HU do.
    raw = "" if "units" in strength.raw else strength.raw
    if raw:
        raw = f"by case {raw} at most" if " to " in raw else f"at most {raw} here"
    detail = ", ".join(part for part in (strength.fraction, raw) if part)
    kind, label = norm.partition(",")[0], strength.label.removeprefix("L2 RMS ")
    voxel, image = "every voxel", "the image"
    if norm.endswith(TISSUE_ALONE):
        voxel, image = "every voxel of tissue", "the tissue in the image"
    size = label if " " in label else f"{label} of the intensity range"  # another unit is named in the label
    if kind == "Linf":
        words = f"{voxel} may be changed by up to {size}"
    elif kind == "L2":
        # Raw units are those of the largest move of a voxel.
        share = f" ({strength.fraction})" if strength.fraction else ""
        words = f"{image} may be changed by a root mean square of up to {size}{share}, single voxels by more"
        detail = raw
    else:
        words = f"{image} may be changed by up to {size} in the threat model {kind}"
    return words + (f" ({detail})" if detail else "")


def _worded(estimate: Estimate) -> str:
    if estimate.value is None:
        return "an unknown value"
    text = f"{estimate.value:.2f}"
    if estimate.lower is not None and estimate.upper is not None:
        text += f" (95% interval {estimate.lower:.2f} to {estimate.upper:.2f})"
    return text
