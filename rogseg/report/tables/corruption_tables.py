"""The tables of networks under corruptions: each in a few numbers, and every corruption at every severity."""

from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.estimates import Estimate
from rogseg.report.summaries import class_estimates, estimate_of
from rogseg.report.tables.table import Cell, ReportTable
from rogseg.report.views.corruptions import CorruptionLine, corruption_lines, made_alike, visibility_of

__all__ = ["corruption_tables"]


def corruption_tables(contents: Contents, notes: tuple[str, ...]) -> tuple[ReportTable, ...]:
    """Both, without rows where nothing was corrupted."""
    return _summary(contents, notes), _every(contents, notes)


def _summary(contents: Contents, notes: tuple[str, ...]) -> ReportTable:
    lines = corruption_lines(contents)
    severities = sorted({severity for line in lines for severity in line.summary.levels})
    rows: list[tuple[Cell, ...]] = []
    for line in lines:
        summary = line.summary
        levels = [Estimate.of(summary.levels[s]) if s in summary.levels else None for s in severities]
        worst = None if summary.worst_condition is None else "{}, {:g}".format(*summary.worst_condition)
        rows.append(
            (
                line.system,
                Estimate.of(summary.clean),
                *levels,
                Estimate.of(summary.weighted),
                Estimate.of(summary.worst),
                line.relative,
                worst,
                summary.num_corruptions,
                summary.clean.num_cases,
            )
        )
    headings = (
        "network",
        "clean",
        *(f"severity {severity:g}" for severity in severities),
        "weighted (2/3)^severity",
        "worst of each case",
        "relative error",
        "hardest",
        "corruptions",
        "cases",
    )
    more = (*notes, *contents.corruption_notes, *_reservations(lines))
    return ReportTable(
        "corruption_summary", f"{contents.title}: corruptions in a few numbers", headings, tuple(rows), more
    )


def _reservations(lines: Sequence[CorruptionLine]) -> list[str]:
    """What the numbers of networks are relative to, and where they do not compare."""
    said = [f"Relative error: of that of {lines[0].system}."] if len(lines) > 1 else []
    if not made_alike(lines):
        said.append(
            "The networks were not given the same corruptions at the same severities, by the same parameters and "
            "draws: the relative error is over those that both have, and the other columns do not compare them."
        )
    for line in lines:
        summary = line.summary
        if not summary.has_all_severities:
            said.append(
                f"{line.system}: each severity over the {summary.num_at_all} of {summary.num_corruptions} corruptions "
                "that have all severities."
            )
    return said


def _every(contents: Contents, notes: tuple[str, ...]) -> ReportTable:
    measure = contents.primary
    rows: list[tuple[Cell, ...]] = [
        (
            row.system,
            row.condition.name,
            row.condition.strength,
            len(row.cases),
            estimate_of(row, measure),
            *class_estimates(row, measure, len(contents.classes)),
            visibility_of(row, "SSIM"),
            visibility_of(row, "PSNR"),
        )
        for row in contents.rows
        if row.condition.kind == "corruption"
    ]
    names = tuple(entry.name for entry in contents.classes)
    headings = ("network", "corruption", "severity", "cases", f"mean {measure.heading}", *names, "SSIM", "PSNR [dB]")
    return ReportTable("corruptions", f"{contents.title}: corruptions", headings, tuple(rows), notes)
