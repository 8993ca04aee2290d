"""ComparisonRow: all that must agree for two numbers to stand in one row, and how the row is called."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.identity_differences import abridged, leaves
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import ConditionSummary, is_ensemble, summarise_all
from rogseg.evaluation.text_table import counted

__all__ = ["ComparisonRow", "row_labels", "rows_of"]


@dataclasses.dataclass(frozen=True)
class ComparisonRow:
    """A row.

    Args:
        key: canonical JSON of the setting.
        label: in words; two rows may have the same until `row_labels` tells them apart.
        setting: flat, by path: the attack's config, the digest of own code, threat, epsilon, criterion, source of mu
            and its cases, seed; of a clean row what Dice is where a class is found in a case without it. Own code is
            the attack's or the corruptions', which changes nothing without them; that of a measure is the measure's.
    """

    key: str
    label: str
    setting: Mapping[str, Any]


def rows_of(folder: RecordFolder) -> Iterator[tuple[ComparisonRow, ConditionSummary]]:
    """The rows of an evaluation."""
    identity = folder.identity.to_json()
    criterion = dict(identity["criterion"] or {})
    criterion.pop("mu", None)  # half of each system's own clean Dice may be asked for: the rule must agree
    has_members = is_ensemble(folder)
    for summary in summarise_all(folder):
        if summary.condition == CLEAN:
            counts = folder.identity.counts_false_classes
            setting: dict[str, Any] = {"absent classes": "count as 0 where found" if counts else "left out"}
            label = CLEAN
        else:
            setting = {
                "condition": identity["condition"],
                "threat": identity["threat"],
                "criterion": criterion,
                "seed": identity["seed"],
                "of": summary.condition,
                "strength": summary.strength,
            }
            config = identity["condition"]["config"]
            # Of an ensemble each row names the ensemble, whose config says each member's budget.
            steps = f", {counted(config['num_iterations'], 'iterations')}" if "num_iterations" in config else ""
            detail = f" of {identity['condition']['name']}" if has_members else steps
            made_on = f" from {config['surrogate']['name']}" if "surrogate" in config else ""
            label = f"{summary.condition}{detail}{made_on}, {strength_label(folder.identity, summary.strength)}"
            if folder.identity.own_code is not None:
                setting["own code"] = folder.identity.own_code
        yield ComparisonRow(json.dumps(setting, sort_keys=True), label, leaves(setting)), summary


def row_labels(rows: Sequence[ComparisonRow]) -> dict[str, str]:
    """A label for each key; rows that share one get what they differ in."""
    labels = {}
    for row in rows:
        alike = [other.setting for other in rows if other.label == row.label]
        paths = dict.fromkeys(path for setting in alike for path in setting)
        differing = [path for path in paths if any(_shown(one, path) != _shown(alike[0], path) for one in alike)]
        details = [f"{path.removeprefix('condition.config.')} {_shown(row.setting, path)}" for path in differing]
        labels[row.key] = ", ".join([row.label, *details])
    return labels


def _shown(setting: Mapping[str, Any], path: str) -> str:
    if path not in setting:
        return "not set"
    return abridged(setting[path] if isinstance(setting[path], str) else json.dumps(setting[path], ensure_ascii=False))
