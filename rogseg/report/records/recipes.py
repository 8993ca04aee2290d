"""By what attacks the rows of a report were made: for what is compared, and for the names of what comes twice."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.report.rows import Row

__all__ = ["recipe_of", "told_apart"]


def recipe_of(identity: EvaluationIdentity, strength: float | None = None) -> str:
    """All that an attack, or what else is done to the cases, depends on beside network and cases, as canonical JSON.

    As in `rogseg.evaluation.comparison_row`, except for what is another thing at each strength: of a sweep, whose
    larger epsilons are no weaker than its smaller ones, counts what comes before this one. Of a criterion counts what
    it asks for, not the number that this is for a network; of reference boxes those of the evaluated cases,
    where epsilon is a fraction of them.

    Args:
        identity: of the evaluation.
        strength: of the row; None leaves sweeps out.
    """
    if identity.condition is None:
        return ""
    condition = dataclasses.asdict(identity.condition)
    condition["config"].pop("surrogate", None)  # a network, of which the row tells the name
    sweep = condition["config"].pop("sweep", ())
    before = [] if strength is None else [epsilon for epsilon in sweep if epsilon < strength]
    threat = identity.threat
    if threat is not None:
        # Lists are the reference boxes of cases; records name some although epsilon is a fraction of none.
        counted = identity.data if threat.unit == "reference" else ()
        options = {key: part for key, part in threat.options.items() if key in counted or not isinstance(part, list)}
        threat = dataclasses.replace(threat, options=options)
    criterion = None if identity.criterion is None else identity.criterion.config
    model = None if threat is None else dataclasses.asdict(threat)
    return json.dumps([condition, before, model, criterion, identity.seed, identity.own_code], sort_keys=True)


def told_apart(rows: Sequence[Row], recipes: Mapping[str, str], settings: Mapping[str, str]) -> list[Row]:
    """Give rows that would be taken for one attack what they differ in into their name, at every strength alike.

    These are rows of one name that were made in several ways, or made twice at one strength. Folders that share all
    but their strengths are one attack.

    Args:
        rows: of one network.
        recipes: by the key of a folder, `recipe_of` it.
        settings: by the key of a folder, what its attack may spend, in words.
    """
    named = []
    for row in rows:
        alike = [r for r in rows if r.condition.kind != "worst case" and _signature(r) == _signature(row)]
        origins = list(dict.fromkeys(r.origin for r in alike))
        met = [(recipes[r.origin], r.condition.strength) for r in alike]
        is_twice = len(set(met)) < len(met)
        if row.condition.kind == "worst case" or not (is_twice or len({recipe for recipe, _ in met}) > 1):
            named.append(row)
            continue
        detail, recipe = settings[row.origin], recipes[row.origin]
        others = [o for o in origins if o != row.origin and (is_twice or recipes[o] != recipe)]
        if not detail or any(settings[other] == detail for other in others):
            first = row.origin if is_twice else next(o for o in origins if recipes[o] == recipe)
            detail = f"{detail} ({first.replace('-', ' ')})".strip()
        name = f"{row.condition.name}{' ' if detail.startswith('(') else ', '}{detail}"
        condition = dataclasses.replace(row.condition, name=name)
        named.append(dataclasses.replace(row, condition=condition))
    return named


def _signature(row: Row) -> tuple[str, str, str, float, str]:
    """What rows of one attack share; certificates of several radii may come from several folders."""
    condition = row.condition
    strength = condition.strength if condition.kind == "certificate" else 0.0
    return condition.kind, condition.name, condition.norm, strength, condition.surrogate
