"""From records to rows: clean, each attack or corruption at each strength, and the worst case over all attacks."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord, PerClass
from rogseg.evaluation.certificate_table import noise_words
from rogseg.evaluation.corruption_summary import made_by
from rogseg.evaluation.epsilon_label import norm_of_threat, strength_label
from rogseg.evaluation.identity import Condition, EvaluatedSystem, EvaluationIdentity
from rogseg.evaluation.summary import is_ensemble
from rogseg.evaluation.text_table import counted
from rogseg.report.contents import TISSUE_ALONE
from rogseg.report.records.evaluations import Evaluation
from rogseg.report.records.limits import part_of
from rogseg.report.records.recipes import recipe_of, told_apart
from rogseg.report.rows import CaseValues, ConditionKind, Row
from rogseg.report.rows import Condition as RowCondition
from rogseg.report.summaries import worst_of

__all__ = ["key_of", "record_rows", "surrogate_of", "threat_name"]

CRITERIA_DIFFER = "criteria differ, so no case is counted as fallen"


def key_of(evaluations: Sequence[Evaluation], evaluation: Evaluation) -> str:
    """By which rows name the folder that they come from; an anchor of the page."""
    return f"records-{evaluations.index(evaluation) + 1}"


def threat_name(identity: EvaluationIdentity) -> str:
    """The norm, with what is not as by default: the unit of epsilon, what may move; empty without a threat model."""
    if identity.threat is None:
        return ""
    norm, unit = norm_of_threat(identity.threat.type), identity.threat.unit
    details = {"fraction": "", "reference": ", reference box"}
    moves = f", {TISSUE_ALONE}" if identity.threat.moves_tissue_alone else ""
    return norm + details.get(unit, f", epsilon in {unit} units") + moves


def surrogate_of(evaluations: Sequence[Evaluation], condition: Condition) -> str:
    """What the report calls the network that the volumes of a transfer were made on; empty where there is none.

    One that is not in the report itself has its own name, with its digest where a network of the report has that, too.
    """
    if condition.kind != "transfer":
        return ""
    made_on = EvaluatedSystem(**condition.config["surrogate"])
    for evaluation in evaluations:
        if evaluation.identity.system == made_on:
            return evaluation.system
    taken = any(evaluation.system == made_on.name for evaluation in evaluations)
    return f"{made_on.name} {made_on.digest[:8]}" if taken else made_on.name


def record_rows(evaluations: Sequence[Evaluation], measure: str) -> tuple[Row, ...]:
    """All rows, network by network.

    Args:
        evaluations: of the report.
        measure: that says which attack is the worst on a case.
    """
    rows: list[Row] = []
    for system in dict.fromkeys(evaluation.system for evaluation in evaluations):
        of_system = [evaluation for evaluation in evaluations if evaluation.system == system]
        rows += _clean_rows(evaluations, of_system)
        conditions = [row for evaluation in of_system for row in _condition_rows(evaluations, evaluation)]
        by_key = {key_of(evaluations, one): one for one in of_system}
        recipes = {key: recipe_of(one.identity) for key, one in by_key.items()}
        conditions = told_apart(conditions, recipes, {key: _spent(one) for key, one in by_key.items()})
        # What a cascade recorded as its worst case is material for the worst of all, not a row of its own.
        rows += [row for row in conditions if row.condition.kind != "worst case"]
        rows += _worst_rows(conditions, measure)
    order = list(dict.fromkeys(row.system for row in rows))
    kinds = get_args(ConditionKind)

    def place(row: Row) -> tuple[int, int, bool, str, float, int]:
        condition = row.condition
        group = min(kinds.index(condition.kind), 1) if condition.kind in kinds[:3] else kinds.index(condition.kind)
        is_other = condition.norm != "Linf"  # which comes first, as its section does
        within = (is_other, condition.norm, condition.strength, kinds.index(condition.kind))
        return order.index(row.system), group, *within

    return tuple(sorted(rows, key=place))


def _clean_rows(evaluations: Sequence[Evaluation], of_system: Sequence[Evaluation]) -> list[Row]:
    """One clean row per basis: folders of one measured the same cases, maybe by other measures, which all count.

    Where there are several, each says whose it is.
    """
    rows: dict[str, Row] = {}
    parts: dict[str, dict[str, None]] = {}
    measured: dict[str, list[Mapping[str, Mapping[str, PerClass]]]] = {}
    for evaluation in of_system:
        cases = _cases(evaluation, evaluation.folder.clean(), clean=True)
        known = rows.get(evaluation.basis)
        parts.setdefault(evaluation.basis, {})[part_of(evaluation.identity)] = None
        if cases and (known is None or len(cases) > len(known.cases)):
            rows[evaluation.basis] = _row(evaluations, evaluation, RowCondition("clean", CLEAN), cases)
        measured.setdefault(evaluation.basis, []).append({case.case_id: case.values for case in cases})
    for basis, row in rows.items():
        rows[basis] = dataclasses.replace(
            row, cases=tuple(_with_all_measures(case, measured[basis]) for case in row.cases)
        )
    if len(rows) == 1:
        return list(rows.values())
    return [
        dataclasses.replace(row, condition=dataclasses.replace(row.condition, budget=f"for {', '.join(parts[basis])}"))
        for basis, row in rows.items()
    ]


def _with_all_measures(case: CaseValues, measured: Sequence[Mapping[str, Mapping[str, PerClass]]]) -> CaseValues:
    others = [values[case.case_id] for values in measured if case.case_id in values]
    return dataclasses.replace(case, values={k: v for values in (*others, case.values) for k, v in values.items()})


def _row(
    evaluations: Sequence[Evaluation], evaluation: Evaluation, condition: RowCondition, cases: tuple[CaseValues, ...]
) -> Row:
    key = key_of(evaluations, evaluation)
    return Row(evaluation.system, condition, cases, key, evaluation.setting, evaluation.basis)


def _condition_rows(evaluations: Sequence[Evaluation], evaluation: Evaluation) -> list[Row]:
    folder, identity = evaluation.folder, evaluation.identity
    rows = []
    settings = _spent(evaluation)
    is_corruption = identity.kind == "corruption"
    for strength in folder.strengths():
        for name in (*folder.conditions(), WORST_CASE):
            records = folder.under(name, strength)
            if not records or identity.condition is None:
                continue
            condition = RowCondition(
                kind="worst case" if name == WORST_CASE else identity.condition.kind,
                name=name,
                strength=strength,
                label=strength_label(identity, strength),
                norm=threat_name(identity),
                budget=_words(identity, settings, tuple(records.values())),
                surrogate=surrogate_of(evaluations, identity.condition),
                recipe=made_by(identity, name, strength) if is_corruption else recipe_of(identity, strength),
                criterion=evaluation.criterion,
            )
            cases = _cases(evaluation, records, clean=False)
            rows.append(_row(evaluations, evaluation, condition, cases))
    return rows


def _cases(evaluation: Evaluation, by_case: Mapping[str, CaseRecord], *, clean: bool) -> tuple[CaseValues, ...]:
    return tuple(
        CaseValues(
            case_id=case_id,
            values=dict(by_case[case_id].measures),
            fell=None if clean else by_case[case_id].success,
            line=evaluation.lines.get(by_case[case_id].key),
            visibility=dict(by_case[case_id].visibility),
            certificate=by_case[case_id].certificate,
        )
        for case_id in evaluation.identity.cases
        if case_id in by_case
    )


def _spent(evaluation: Evaluation) -> str:
    """What the config of a condition allows it, and of which ensemble it is a member."""
    condition = evaluation.identity.condition
    if condition is None:
        return ""
    config, parts = condition.config, []
    if is_ensemble(evaluation.folder) and condition.kind in ("attack", "transfer"):
        parts.append(f"of {condition.name}")
    for key, word in (("num_iterations", "iterations"), ("num_queries", "queries"), ("num_restarts", "restarts")):
        if config.get(key) and not (key == "num_restarts" and config[key] == 1):
            parts.append(counted(config[key], word))
    return ", ".join(parts)


def _words(identity: EvaluationIdentity, settings: str, records: Sequence[CaseRecord]) -> str:
    """What an attack may spend; of a certificate, its noise and radius in raw units."""
    assert identity.condition is not None, "only conditions are worded"
    if identity.condition.kind == "attack":
        return _budget(settings, records)
    if identity.condition.kind == "transfer":
        return settings
    certified = [record.certificate for record in records if record.certificate is not None]
    return noise_words(certified, identity.raw_unit) if certified else ""


def _budget(settings: str, records: Iterable[CaseRecord]) -> str:
    """The settings, and the most passes (forward and backward) that a case took."""
    passes = max(record.num_forward + record.num_backward for record in records)
    return f"{settings}, {counted(passes, 'passes')}".removeprefix(", ")


def _worst_rows(rows: Sequence[Row], measure: str) -> list[Row]:
    """Per norm and strength the worst over all attacks, those of several folders, too.

    Where these ask for several things, none says of the worst case whether it fell.

    Args:
        rows: of one network.
        measure: that says which attack is the worst on a case.
    """
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        if row.condition.kind in ("attack", "worst case"):
            groups.setdefault((row.condition.norm, row.condition.strength), []).append(row)
    worst_rows = []
    for (norm, strength), group in groups.items():
        if len(group) == 1 and group[0].condition.kind != "worst case":
            continue
        weaker = [row for (n, s), those in groups.items() if n == norm and s < strength for row in those]
        worst = worst_of(group, measure, [row for row in weaker if row.measured == group[0].measured])
        criteria = sorted({row.condition.criterion for row in group})
        if len(criteria) > 1:
            cases = tuple(dataclasses.replace(case, fell=None) for case in worst.cases)
            condition = dataclasses.replace(worst.condition, budget=CRITERIA_DIFFER, criterion=", ".join(criteria))
            worst = dataclasses.replace(worst, condition=condition, cases=cases)
        worst_rows.append(worst)
    return worst_rows
