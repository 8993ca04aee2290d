"""The tables of a report, from its contents."""

from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.estimates import Estimate
from rogseg.report.summaries import (
    VISIBILITY,
    class_estimates,
    estimate_of,
    fell_of,
    values_of,
    visibility_estimates,
    visible_rows,
)
from rogseg.report.tables.certificate_tables import certificate_tables
from rogseg.report.tables.corruption_tables import corruption_tables
from rogseg.report.tables.table import Cell, ReportTable
from rogseg.report.tables.training_tables import training_tables
from rogseg.report.views.networks import Comparison, comparisons, differing_attacks
from rogseg.report.views.transfers import SETTINGS_DIFFER, transfer_matrices

__all__ = ["report_tables"]

WORST = (
    "Worst case: of each case the attack that left the least. The column of a class has the lowest value of that "
    "class, which another of the attacks may have left."
)
OVER_NOISE = "Change over noise: root mean square of the change, in units of the noise estimated from the clean image."
INTERVALS = "Brackets: 95% intervals over the cases."


def report_tables(contents: Contents) -> tuple[ReportTable, ...]:
    """All tables that the contents have rows for."""
    corrupted = corruption_tables(contents, _notes(contents, INTERVALS))
    certified = certificate_tables(contents, _notes(contents, INTERVALS))
    compared = comparisons(contents)
    made = (
        _results(contents),
        _transfers(contents),
        *corrupted,
        _measures(contents),
        _comparisons(contents, compared),
        *training_tables(contents, compared, _notes(contents, *differing_attacks(contents))),
        _cases(contents),
    )
    return tuple(table for table in (*made, *certified, _visibility(contents), _epsilons(contents)) if table.rows)


def _notes(contents: Contents, *more: str) -> tuple[str, ...]:
    synthetic = ("Synthetic data: no statement about patients.",) if contents.is_synthetic else ()
    return (*synthetic, *contents.notes(), *more)


def _results(contents: Contents) -> ReportTable:
    measure = contents.primary
    rows: list[tuple[Cell, ...]] = []
    for row in contents.rows:
        condition = row.condition
        if condition.kind not in ("clean", "attack", "worst case", "transfer"):
            continue
        per_class = class_estimates(row, measure, len(contents.classes))
        cells = (row.system, condition.title, condition.norm, condition.label or None, len(row.cases))
        rows.append((*cells, estimate_of(row, measure), *per_class, fell_of(row), condition.budget or None))
    names = tuple(entry.name for entry in contents.classes)
    headings = ("network", "attack", "norm", "epsilon", "cases", f"mean {measure.heading}", *names, "fell", "budget")
    criterion = (f"A case fell: {contents.criterion}.",) if contents.criterion else ()
    notes = _notes(contents, INTERVALS, *criterion, *_on_worst(contents))
    return ReportTable("results", f"{contents.title}: every attack", headings, tuple(rows), notes)


def _on_worst(contents: Contents) -> tuple[str, ...]:
    return (WORST,) if any(row.condition.kind == "worst case" for row in contents.rows) else ()


def _transfers(contents: Contents) -> ReportTable:
    matrices = transfer_matrices(contents)
    targets = tuple(dict.fromkeys(name for matrix in matrices for name in matrix.targets))
    rows: list[tuple[Cell, ...]] = []
    for matrix in matrices:
        for source, cells in matrix.rows:
            of_target = dict(zip(matrix.targets, cells, strict=True))
            values = [None if (cell := of_target.get(name)) is None else cell.estimate for name in targets]
            rows.append((matrix.attack, matrix.norm, matrix.label, source, matrix.num_cases, *values))
    headings = ("attack", "norm", "epsilon", "volumes made on", "cases", *targets)
    note = (
        f"A column is the network that is given the volumes; mean {contents.primary.heading}, measured in the grid of "
        "the files."
    )
    said = [f"{matrix.attack} at {matrix.label}: {SETTINGS_DIFFER}" for matrix in matrices if matrix.settings_differ]
    return ReportTable(
        "transfer", f"{contents.title}: transfer", headings, tuple(rows), _notes(contents, note, *said, INTERVALS)
    )


def _measures(contents: Contents) -> ReportTable:
    rows: list[tuple[Cell, ...]] = []
    if len(contents.measures) > 1:
        for row in contents.rows:
            estimates: list[Estimate] = [estimate_of(row, measure) for measure in contents.measures]
            rows.append((row.system, row.condition.full_title, row.condition.label or None, *estimates))
    headings = ("network", "condition", "strength", *(measure.heading for measure in contents.measures))
    return ReportTable(
        "measures", f"{contents.title}: all measures", headings, tuple(rows), _notes(contents, INTERVALS)
    )


def _comparisons(contents: Contents, compared: Sequence[Comparison]) -> ReportTable:
    rows: list[tuple[Cell, ...]] = [(c.second, c.first, c.label, c.difference) for c in compared]
    headings = ("network", "minus", "epsilon", f"difference of {contents.primary.compared}")
    note = "Mean of the differences on the same cases, with the interval of that mean."
    return ReportTable(
        "differences",
        f"{contents.title}: networks against each other",
        headings,
        tuple(rows),
        _notes(contents, note, *differing_attacks(contents)),
    )


def _visibility(contents: Contents) -> ReportTable:
    rows: list[tuple[Cell, ...]] = [
        (row.system, row.condition.name, row.condition.label or None, *visibility_estimates(row))
        for row in visible_rows(contents)
    ]
    headings = ("network", "attack", "epsilon", *(heading for heading, _, _ in VISIBILITY.values()))
    return ReportTable(
        "visibility",
        f"{contents.title}: how visible the adversaries are",
        headings,
        tuple(rows),
        _notes(contents, INTERVALS, OVER_NOISE),
    )


def _cases(contents: Contents) -> ReportTable:
    measure = contents.primary.name
    rows: list[tuple[Cell, ...]] = []
    for row in contents.rows:
        condition = row.condition
        of_classes = [values_of(row, contents.primary, index) for index in range(len(contents.classes))]
        for case, *per_class in zip(row.cases, *of_classes, strict=True):
            fell = None if case.fell is None else "yes" if case.fell else "no"
            rows.append(
                (
                    row.system,
                    case.case_id,
                    condition.title,
                    condition.label or None,
                    case.mean(measure),
                    *per_class,
                    fell,
                )
            )
    names = tuple(entry.name for entry in contents.classes)
    headings = ("network", "case", "condition", "strength", f"mean {contents.primary.heading}", *names, "fell")
    return ReportTable(
        "cases", f"{contents.title}: every case", headings, tuple(rows), _notes(contents, *_on_worst(contents))
    )


def _epsilons(contents: Contents) -> ReportTable:
    rows: list[tuple[Cell, ...]] = [
        (threat.norm, s.label, name or None, s.fraction, s.network or None, s.raw or None)
        for threat in contents.threats
        for name, strengths in (threat.by_network or {"": threat.strengths}).items()
        for s in strengths
    ]
    headings = ("norm", "epsilon", "network", "share of the intensity range", "network units", "raw units")
    return ReportTable("epsilons", f"{contents.title}: epsilon in three units", headings, tuple(rows), _notes(contents))
