"""The threat model of records in words and in its three units."""

from collections.abc import Sequence

from rogseg.evaluation.case_record import CLEAN, CaseRecord
from rogseg.evaluation.epsilon_label import epsilon_unit_label, norm_of_threat, strength_label
from rogseg.evaluation.text_table import SAME, short, short_span
from rogseg.report.contents import Strength, ThreatText
from rogseg.report.records.evaluations import Evaluation
from rogseg.report.records.rows import threat_name

__all__ = ["threat_texts"]

WORDS = {
    "Linf": "The adversary knows the network and its weights and may change every voxel of the prepared image, each by "
    "at most epsilon times the width of the intensity range that the network sees (Linf). The changed image stays "
    "inside that range; this is asserted for each recorded volume.",
    "L2": "The adversary knows the network and its weights and may change the prepared image such that the root mean "
    "square of the change is at most epsilon times the width of the intensity range (L2). A few voxels may change much "
    "more than epsilon. The changed image stays inside that range; this is asserted for each recorded volume.",
    "Quantisation": "The adversary knows the network and its weights and may compress the prepared image: the "
    "coefficients of the cosine transform of each block are rounded to multiples of steps of at most epsilon times the "
    "width of the intensity range, which the adversary chooses. What is asserted for each recorded volume is what "
    "follows from that: in each block the root mean square of the change is at most half of epsilon. This epsilon does "
    "not compare with that of Linf, since single voxels may change much more.",
}
KNOWN = "knows the network and its weights"
OF_ANOTHER = "knows another network and its weights, on which the volumes are made,"
OUTSIDE = (
    "rotations and deformations",
    "changes of the preprocessing or of the stored intensity range, as by moving the extreme voxels of an MR case",
    "padding and voxels that the preprocessing freezes",
)
OF_EACH_NETWORK = {
    "fraction": "Epsilon is a share of the intensity range of each network, and these ranges differ",
    "network": "Epsilon is in the units of the intensities that each network sees, and these units differ",
}
"""The units of epsilon that are other changes in raw units for each network, and what is said where they are."""
STILL_AIR = (
    " Tissue alone may be moved: voxels at the lower end of that range in every channel, as air and what is masked out "
    "are, stay as they are; the network is scored there all the same."
)
OF_REFERENCE = " Epsilon is a fraction of the reference box, so that every network faces the same change in raw units."


def threat_texts(evaluations: Sequence[Evaluation]) -> tuple[ThreatText, ...]:
    """One per norm and unit of epsilon, in the order of the folders; Linf fractions first."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        if evaluation.identity.threat is not None:
            groups.setdefault(threat_name(evaluation.identity), []).append(evaluation)
    return tuple(_text(name, groups[name]) for name in sorted(groups, key=lambda name: name != "Linf"))


def _text(name: str, evaluations: Sequence[Evaluation]) -> ThreatText:
    strengths = sorted({strength for evaluation in evaluations for strength in evaluation.folder.strengths()})
    # How far a volume moves is told by the network that it was made on, where that is in the report.
    evaluations = [e for e in evaluations if e.identity.kind != "transfer"] or evaluations
    threat = evaluations[0].identity.threat
    assert threat is not None, "only attacks are grouped"
    norm = norm_of_threat(threat.type)
    words = WORDS.get(norm, f"The adversary is bounded by the threat model {threat.type}.")
    if evaluations[0].identity.kind == "transfer":
        words = words.replace(KNOWN, OF_ANOTHER)
    words += OF_REFERENCE if threat.unit == "reference" else ""
    if threat.moves_tissue_alone:
        words = words.replace("every voxel of", "voxels of") + STILL_AIR
    is_share = threat.unit in ("fraction", "reference")
    unit = "1/255 of the intensity range" if threat.unit == "fraction" else epsilon_unit_label(threat.unit)
    rms = "RMS, " if norm == "L2" else ""
    return ThreatText(
        norm=name,
        words=words,
        strengths=tuple(_strength(evaluations, strength) for strength in strengths),
        by_network=_by_network(evaluations) if norm == "Linf" and threat.unit in OF_EACH_NETWORK else {},
        differs=OF_EACH_NETWORK.get(threat.unit, ""),
        outside=OUTSIDE,
        scale=255.0 if is_share else 1.0,
        axis=f"epsilon [{rms}{unit}]",
    )


def _by_network(evaluations: Sequence[Evaluation]) -> dict[str, tuple[Strength, ...]]:
    """The epsilons of each network, where their boxes or units differ: one epsilon then is several raw changes."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        groups.setdefault(evaluation.system, []).append(evaluation)
    made, widths = {}, dict[str, list[float]]()
    threat = evaluations[0].identity.threat
    in_network_units = threat is not None and threat.unit == "network"
    for system, of_system in groups.items():
        strengths = sorted({strength for evaluation in of_system for strength in evaluation.folder.strengths()})
        made[system] = tuple(_strength(of_system, strength) for strength in strengths)
        of_case: dict[str, float] = {}
        for record in (record for strength in strengths for record in _attacked(of_system, strength)):
            moved = max(record.distance_network, default=0.0) if in_network_units else record.distance_fraction
            if record.distance_raw and moved:
                width = max(record.distance_raw) / moved
                of_case[record.case_id] = max(width, of_case.get(record.case_id, 0.0))
        for case_id, width in of_case.items():
            widths.setdefault(case_id, []).append(width)
    differ = any(max(of_case) > SAME * min(of_case) for of_case in widths.values())
    return made if differ else {}


def _attacked(evaluations: Sequence[Evaluation], strength: float) -> list[CaseRecord]:
    return [r for e in evaluations for r in e.folder.records if r.strength == strength and r.condition != CLEAN]


def _strength(evaluations: Sequence[Evaluation], strength: float) -> Strength:
    """Network and raw units are those of the largest move of a voxel that the records hold, raw ones by case."""
    identity = evaluations[0].identity
    assert identity.threat is not None, "only attacks are grouped"
    records = _attacked(evaluations, strength)
    network = _largest([record.distance_network for record in records])
    by_case: dict[str, list[tuple[float, ...]]] = {}
    for record in records:
        by_case.setdefault(record.case_id, []).append(record.distance_raw)
    raw = [largest for moves in by_case.values() if (largest := _largest(moves))]
    spans = [short_span(column) for column in zip(*raw, strict=True)]
    is_share = identity.threat.unit in ("fraction", "reference")
    return Strength(
        value=strength,
        label=strength_label(identity, strength),
        fraction=f"{strength:.1%}" if is_share else "",
        network=_channels(network),
        raw=f"{', '.join(dict.fromkeys(spans))} {identity.raw_unit}" if spans else "",
    )


def _largest(moves: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    known = [move for move in moves if move]
    return tuple(max(column) for column in zip(*known, strict=True)) if known else ()


def _channels(values: tuple[float, ...]) -> str:
    """One number per channel; one for all where they agree as written."""
    return ", ".join(dict.fromkeys(short(value) for value in values))
