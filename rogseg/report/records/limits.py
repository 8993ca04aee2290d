"""What the numbers of records do not say, and what was not tested: told by what is missing from the records."""

from collections.abc import Sequence

from rogseg.evaluation.epsilon_label import norm_of_threat
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.summary import is_ensemble
from rogseg.report.estimates import FEWEST_CASES
from rogseg.report.records.evaluations import Evaluation
from rogseg.report.trainings import trainings_among

__all__ = ["limits_of", "part_of", "untested_by"]

PARTS = {
    "attack": "attacks",
    "transfer": "transfers",
    "corruption": "corruptions",
    "certificate": "certificates",
}
"""What records of a kind are called on the page."""
SQUARE = "Square"


def part_of(identity: EvaluationIdentity) -> str:
    """What the records of an evaluation are called on the page."""
    return "accuracy" if identity.condition is None else PARTS[identity.condition.kind]


def limits_of(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """Sentences; those that hold for every attack come first."""
    identities = [evaluation.identity for evaluation in evaluations]
    attacks = _attacks(evaluations)
    limits = []
    if attacks:
        limits.append(
            "Attacks give an upper bound of robustness: a stronger attack may exist, a weaker one proves nothing."
        )
        limits.append(
            "The threat model is digital: whether such a change could be brought into a clinical image is not asked."
        )
        if not any(is_ensemble(attack.folder) for attack in attacks):
            limits.append("No ensemble of attacks was run; single attacks overestimate robustness more often.")
    if _several_criteria(evaluations):
        limits.append(
            "The attacks on a network ask for different things, so that a case that fell under one may stand under "
            "another: where they meet, the worst case says nothing of how many fell, and of those in one threat model "
            "no smallest epsilon that fools is told."
        )
    transfers = [identity for identity in identities if identity.kind == "transfer"]
    if transfers:
        limits.append(
            "Volumes that are made on one network and given to another are a weak attack: a network that stands under "
            "them may fall under an attack on itself."
        )
    if any(i.threat is not None and i.threat.unit == "fraction" for i in transfers):
        limits.append(
            "Of a transfer, epsilon is a fraction of the intensity range of the network that the volumes were made on."
        )
    if any(identity.kind == "certificate" for identity in identities):
        limits.append(
            "A certificate is of the smoothed network, which lets noisy copies of a volume vote; it says nothing of "
            "the network as it is used without noise, and nothing of changes beyond its radius."
        )
    if any(identity.protocol == "patch" for identity in identities):
        limits.append(
            "One window around the target is evaluated, not the whole volume: false findings elsewhere do not count, "
            "so Dice may be higher than that of the whole volume."
        )
    if len({(evaluation.identity.protocol, *sorted(evaluation.identity.data)) for evaluation in evaluations}) > 1:
        limits.append(
            "Clean values differ from part to part of this page: in the grid of the files they are taken after "
            "resampling and post-processing, and the cases may be others; only numbers of one setting are compared."
        )
    if len({identity.counts_false_classes for identity in identities}) > 1:
        limits.append(
            "A class that is found in a case without it has a Dice of 0 where accuracy and corruptions are measured, "
            "and counts nowhere else, so that their clean values are others."
        )
    limits += _on_intervals(identities)
    names = {evaluation.system for evaluation in evaluations}
    if names - trainings_among(names).keys():
        limits.append("One training run of each network: another one of the same recipe may be more or less robust.")
    return tuple(limits)


def _several_criteria(evaluations: Sequence[Evaluation]) -> bool:
    """Whether the attacks on one network have several criteria."""
    found: dict[str, set[str]] = {}
    for evaluation in evaluations:
        if evaluation.identity.kind == "attack":
            found.setdefault(evaluation.system, set()).add(evaluation.criterion)
    return any(len(criteria) > 1 for criteria in found.values())


def _on_intervals(identities: Sequence[EvaluationIdentity]) -> list[str]:
    """Which parts have too few cases for an interval, and what the intervals of the others do not hold."""
    few = [identity for identity in identities if len(identity.cases) < FEWEST_CASES]
    sentences = []
    if few:
        fewest = min(len(identity.cases) for identity in few)
        parts = dict.fromkeys(part_of(identity) for identity in few)
        where = f" ({', '.join(parts)})" if len(few) < len(identities) else ""
        are = "One case" + where + " is" if fewest == 1 else f"{fewest} cases{where} are"
        sentences.append(f"{are} too few for an interval; another choice of cases may give other numbers.")
    if len(few) < len(identities):
        sentences.append("The intervals are over the cases; they say nothing of another hospital or scanner.")
    return sentences


def untested_by(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """Sentences on what the records hold nothing of."""
    attacks = _attacks(evaluations)
    norms = {norm_of_threat(e.identity.threat.type) for e in attacks if e.identity.threat is not None}
    untested, kinds = [], {evaluation.identity.kind for evaluation in evaluations}
    if not attacks:
        untested.append(
            "Attacks on the networks themselves." if "transfer" in kinds else "Adversarial attacks of any kind."
        )
    else:
        untested += [f"Attacks bounded in {norm}." for norm in ("Linf", "L2") if norm not in norms]
        if not any(_has_square(attack) for attack in attacks):
            beyond = any(SQUARE in finding.name for e in evaluations for finding in e.findings)
            untested.append(
                "Attacks that only query the network (Square), which do not depend on its gradients"
                + (", beyond the few cases of the sanity check." if beyond else ".")
            )
    if "transfer" not in kinds and attacks:
        untested.append("Attacks that transfer from another network, and attacks on several images at once.")
    elif "transfer" in kinds:
        untested.append("Attacks on several images at once.")
    if "corruption" not in kinds:
        untested.append("What scanners do to images: noise, blur, motion, bias fields, other spacings.")
    if "certificate" not in kinds:
        untested.append("Guarantees: no certificate says that nothing inside a radius can change the segmentation.")
    untested.append("Poisoned training data, and how a clinician acts on a wrong segmentation.")
    return tuple(untested)


def _attacks(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    return [evaluation for evaluation in evaluations if evaluation.identity.kind == "attack"]


def _has_square(attack: Evaluation) -> bool:
    """Whether it is Square, or an ensemble with Square among those of its members that met a case."""
    condition = attack.identity.condition
    assert condition is not None, "only attacks are asked"
    return SQUARE in str(condition.config) or any(SQUARE in name for name in attack.folder.conditions())
