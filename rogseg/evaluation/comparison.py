"""Several systems under the same conditions on the same cases, side by side and pair by pair."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.evaluation.case_record import DICE
from rogseg.evaluation.comparison_row import ComparisonRow, row_labels, rows_of
from rogseg.evaluation.identity_differences import leaves
from rogseg.evaluation.measure_facts import facts_of_measure
from rogseg.evaluation.notes import leak_note, versions_notes
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import Bounds, mean_interval, paired_difference, size_bounds
from rogseg.evaluation.summary import ConditionSummary, mean
from rogseg.evaluation.text_table import NOTHING, TextTable, with_interval
from rogseg.metrics import heading_of

__all__ = ["comparison_tables"]

# What must agree for any two numbers to be compared.
SHARED = ("task", "classes", "protocol", "data")
# What must agree among the evaluations of one system.
OF_ONE_SYSTEM = ("system", "window_size", "overlap")


PAIRED_NOTES = (
    "Differences are of the same cases, with the 95% interval of their mean.",
    "Each column is one trained network: what holds of a way to train needs several of each.",
)
LEFT_OUT = (
    "Left out: cases of which one of the two alone has a value, as where it predicts a class that the target lacks and "
    "the other rightly does not. The difference says nothing of them; compare the false volume."
)


def comparison_tables(folders: Mapping[str, Sequence[RecordFolder]], measure: str = DICE) -> tuple[TextTable, ...]:
    """Means with their intervals, a row per condition and a column per system; then the paired differences.

    A row holds only what was made in the same way: by the same attack with all its settings, the same files of own
    components, threat, epsilon, criterion, source of mu and seed. What would otherwise look alike is told apart in its
    label. Versions of rogseg may differ; a note says so.

    Args:
        folders: by the system's name, one per attack or corruption.
        measure: what is compared, by its name in the records.

    Raises:
        ValueError: the evaluations differ in task, classes, protocol or cases; those of one name are of two systems; a
            system has two values for one row; or none has the measure, or they have different ones under its name.
    """
    _check_shared(folders)
    names = list(folders)
    facts = facts_of_measure(measure, [folder for of_one in folders.values() for folder in of_one])

    def cell(summary: ConditionSummary | None) -> str:
        return NOTHING if summary is None else _mean_cell(summary, measure, facts["bounds"])

    cells: dict[str, dict[str, ConditionSummary]] = {}
    rows: dict[str, ComparisonRow] = {}
    for name, of_one in folders.items():
        for folder in of_one:
            for row, summary in rows_of(folder):
                rows.setdefault(row.key, row)
                there = cells.setdefault(row.key, {}).setdefault(name, summary)
                if cell(there) != cell(summary):
                    raise ValueError(
                        f"{folder.directory}: {name} has other values for {row.label!r} already; name one of the two"
                    )
    labels = row_labels(list(rows.values()))
    means = [[labels[key], *(cell(of_row.get(name)) for name in names)] for key, of_row in cells.items()]
    shown = heading_of(measure, "", facts["better"])
    tables = [TextTable(f"Mean {shown} [95%]", [f"mean {shown} under", *names], means, _notes(folders))]
    if len(names) > 1:
        tables.append(_differences(cells, labels, names, facts))
    return tuple(tables)


def _mean_cell(summary: ConditionSummary, measure: str, bounds: Bounds) -> str:
    values = list(summary.by_case(measure).values())
    cell = with_interval(mean(values), mean_interval(values, bounds))
    # What a cascade spared is not missing, but a mean over the others is not one over all either.
    over = f"{summary.share_of_cases} cases: " if summary.num_missing or summary.num_spared else ""
    return f"{'INCOMPLETE, ' if summary.num_missing else ''}{over}{cell}"


def _differences(
    cells: Mapping[str, Mapping[str, ConditionSummary]],
    labels: Mapping[str, str],
    names: Sequence[str],
    facts: Mapping[str, Any],
) -> TextTable:
    """Each system less each earlier one, on the cases that both have; of what is best at zero, how far off it is."""
    pairs = [(later, earlier) for earlier, later in itertools.combinations(names, 2)]
    rows = []
    for key, of_row in cells.items():
        row = [labels[key]]
        for later, earlier in pairs:
            both = [of_row[name] for name in (later, earlier) if name in of_row]
            row.append(_difference_cell(both[0], both[1], facts) if len(both) == 2 else NOTHING)
        rows.append(row)
    title = f"Paired differences of {'the size of ' if facts['better'] == 'zero' else ''}{facts['name']} [95%]"
    notes = PAIRED_NOTES + ((LEFT_OUT,) if any("left out" in cell for row in rows for cell in row[1:]) else ())
    return TextTable(title, ["difference under", *(f"{one} less {other}" for one, other in pairs)], rows, notes)


def _difference_cell(one: ConditionSummary, other: ConditionSummary, facts: Mapping[str, Any]) -> str:
    measure, better, bounds = facts["name"], facts["better"], facts["bounds"]
    first, second = (
        summary.sizes_of(measure) if better == "zero" else summary.by_case(measure) for summary in (one, other)
    )
    found = paired_difference(first, second, size_bounds(bounds) if better == "zero" else bounds)
    met_by_both = one.records.keys() & other.records.keys()
    left_out = len((first.keys() ^ second.keys()) & met_by_both)
    if found is None:
        return NOTHING
    interval = NOTHING if found.interval is None else f"[{found.interval[0]:+z.4f}, {found.interval[1]:+z.4f}]"
    num_better = found.num_higher if better == "higher" else found.num_lower
    cell = f"{found.mean:+z.4f} {interval}, better on {num_better} of {found.num_cases}"
    cell += f", {left_out} left out" if left_out else ""
    return f"INCOMPLETE: {cell}" if one.num_missing or other.num_missing else cell


def _check_shared(folders: Mapping[str, Sequence[RecordFolder]]) -> None:
    everything = [folder for of_one in folders.values() for folder in of_one]
    for folder in everything[1:]:
        _agree(folder, everything[0], SHARED, "their numbers do not compare; evaluate both in the same way")
    for name, of_one in folders.items():
        for folder in of_one[1:]:
            _agree(folder, of_one[0], OF_ONE_SYSTEM, f"they are not both {name!r}; give each its own name")


def _agree(one: RecordFolder, other: RecordFolder, fields: Sequence[str], otherwise: str) -> None:
    here, there = one.identity.to_json(), other.identity.to_json()
    for field in fields:
        if here[field] != there[field]:
            raise ValueError(
                f"{one.directory} and {other.directory} differ in {_where(here, there, field)}, so {otherwise}"
            )


def _where(here: Mapping[str, Any], there: Mapping[str, Any], field: str) -> str:
    """The path of the first difference, down to the option that differs, or the first case that one of them lacks."""
    if field == "data" and (alone := sorted(set(here[field]) ^ set(there[field]))):
        return f"their cases ({alone[0]} is in one of them alone; rogseg report --common-cases takes those of both)"
    one, other = leaves(here[field], field), leaves(there[field], field)
    path = next(path for path in [*one, *other] if path not in one or path not in other or one[path] != other[path])
    values = (json.dumps(facts.get(path), ensure_ascii=False) for facts in (one, other))
    return f"{path} ({' and '.join(values)})"


def _notes(folders: Mapping[str, Sequence[RecordFolder]]) -> tuple[str, ...]:
    named = [(name, folder.identity) for name, of_one in folders.items() for folder in of_one]
    notes = dict.fromkeys(leak_note(identity, name) for name, identity in named)
    return (*(note for note in notes if note), *versions_notes(named))
