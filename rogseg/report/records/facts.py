"""What holds for all of a report, in words."""

from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.evaluation.identity import HELD_OUT
from rogseg.report.records.criterion_words import criterion_words
from rogseg.report.records.evaluations import Evaluation
from rogseg.report.records.limits import part_of

__all__ = ["mu_words", "shared_facts"]


def shared_facts(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """What holds for the report; where its parts differ, what holds for each, unless folders of a part differ, too."""
    attacked = [e for e in evaluations if e.identity.condition is not None] or list(evaluations)
    candidates = {
        "Measured on": [evaluation.setting for evaluation in attacked],
        "Choice of cases": [evaluation.identity.selection.rule for evaluation in attacked],
        "A case falls": [criterion_words([evaluation]) for evaluation in attacked],
        "Mean clean Dice": [mu_words(evaluation) for evaluation in attacked],
        "Seed": ["" if e.identity.seed is None else str(e.identity.seed) for e in attacked],
        "The network had seen": [_seen(evaluation) for evaluation in attacked],
        "A certificate is wrong": [_chance(evaluation) for evaluation in attacked],
    }
    names = [part_of(evaluation.identity) for evaluation in attacked]
    facts = {}
    for key, texts in candidates.items():
        told = dict.fromkeys((name, text) for name, text in zip(names, texts, strict=True) if text)
        if len({text for _, text in told}) == 1:
            facts[key] = next(iter(told))[1]
        elif told and len({name for name, _ in told}) == len(told):
            facts[key] = "; ".join(f"{name}: {text}" for name, text in told)
    return facts


def mu_words(evaluation: Evaluation) -> str:
    """The mean clean Dice that a criterion asks for, with the cases that it is of; empty where it asks for none."""
    criterion = evaluation.identity.criterion
    if criterion is None or criterion.mu is None:
        return ""
    return f"{criterion.mu:.4f}, of {criterion.mu_source} ({worded_cases(len(criterion.mu_cases))})"


def _seen(evaluation: Evaluation) -> str:
    leak = evaluation.identity.leak
    return "none of the cases: they were held out" if leak == HELD_OUT else leak


def _chance(evaluation: Evaluation) -> str:
    condition = evaluation.identity.condition
    if condition is None or condition.kind != "certificate":
        return ""
    return f"with a chance of at most {condition.config['alpha']:g}, for each case, sigma and tau"
