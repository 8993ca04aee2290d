"""Networks under corruptions: a few numbers for each, a map over corruptions and severities, and curves."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from rogseg.evaluation.corruption_summary import (
    CorruptionSummary,
    CorruptionValues,
    relative_error,
    summarise_corruptions,
)
from rogseg.report.cautions import too_few
from rogseg.report.contents import Contents
from rogseg.report.curves import Curve, curves_of
from rogseg.report.palette import ink_on, map_colour
from rogseg.report.rows import Row
from rogseg.report.svg.curves import HALF_SIZES, curve_chart
from rogseg.report.views.figures import Figure, legend_of, renamed

__all__ = [
    "CorruptionLine",
    "CorruptionView",
    "MapCell",
    "corruption_curves",
    "corruption_lines",
    "corruption_values",
    "corruption_view",
    "made_alike",
    "visibility_of",
]


@dataclasses.dataclass(frozen=True)
class CorruptionLine:
    """One network in a few numbers, its error as a share of the first network's, and what was done.

    The share is None for that network itself, and where both share nothing.
    """

    system: str
    origin: str
    summary: CorruptionSummary
    relative: float | None
    made: Mapping[tuple[str, float], str]


@dataclasses.dataclass(frozen=True)
class MapCell:
    """A value of the map with the colours behind and of its number, and what one sees of the corruption."""

    value: float | None
    origin: str
    colour: str
    ink: str
    tip: str


@dataclasses.dataclass(frozen=True)
class CorruptionView:
    """The section of the page.

    Args:
        lines: a network each.
        severities: that were evaluated, ascending.
        map_rows: a corruption each, with the cells of the first network, then of the next.
        figures: a chart per corruption.
        notes: what did not apply, and how parameters were chosen; a sentence each.
    """

    lines: tuple[CorruptionLine, ...]
    severities: tuple[float, ...]
    map_rows: tuple[tuple[str, tuple[MapCell, ...]], ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """What belongs beside the numbers: that there are too few cases, by the network that has the fewest."""
        return too_few(min(line.summary.clean.num_cases for line in self.lines)) if self.lines else ()

    @property
    def is_alike(self) -> bool:
        """Whether all networks were given the same."""
        return made_alike(self.lines)


def made_alike(lines: Sequence[CorruptionLine]) -> bool:
    """Whether all networks were given the same corruptions at the same severities, by the same parameters and draws."""
    return all(line.made == lines[0].made for line in lines)


def corruption_view(contents: Contents) -> CorruptionView | None:
    """None without corruptions."""
    rows = [row for row in contents.rows if row.condition.kind == "corruption"]
    if not rows:
        return None
    severities = tuple(sorted({row.condition.strength for row in rows}))
    lines = corruption_lines(contents)
    return CorruptionView(
        lines, severities, _map(contents, rows, severities), _figures(contents), contents.corruption_notes
    )


def corruption_values(contents: Contents, system: str) -> CorruptionValues | None:
    """The primary measure of a network, clean and under corruptions; None where it was not corrupted."""
    rows = contents.rows_of(system, ("corruption",))
    clean = contents.clean_of(rows[0]) if rows else None
    if clean is None:
        return None
    measure = contents.primary.name
    found = {(row.condition.name, row.condition.strength): row for row in rows if row.measured == clean.measured}
    under = {key: _by_case(row, measure) for key, row in found.items()}
    return CorruptionValues(_by_case(clean, measure), under, {key: row.condition.recipe for key, row in found.items()})


def corruption_lines(contents: Contents) -> tuple[CorruptionLine, ...]:
    """A network each, in the order of the report; of measures whose best value is 1."""
    if contents.primary.bounds != (0.0, 1.0) or contents.primary.better != "higher":
        return ()
    found = {
        system.name: values
        for system in contents.systems
        if (values := corruption_values(contents, system.name)) is not None
    }
    lines = []
    for index, (system, values) in enumerate(found.items()):
        first = next(iter(found.values()))
        origin = contents.rows_of(system, ("corruption",))[0].origin
        relative = relative_error(values, first) if index else None
        lines.append(CorruptionLine(system, origin, summarise_corruptions(values), relative, values.made))
    return tuple(lines)


def visibility_of(row: Row, measure: str) -> float | None:
    """Mean of a measure of visibility over the cases; None where it was not taken."""
    values = [case.visibility[measure] for case in row.cases if measure in case.visibility]
    return math.fsum(values) / len(values) if values else None


def corruption_curves(contents: Contents) -> dict[str, tuple[Curve, ...]]:
    """By corruption, a curve per system over severity."""
    rows = [row for row in contents.rows if row.condition.kind == "corruption"]
    panels = {}
    for name in dict.fromkeys(row.condition.name for row in rows):
        curves: list[Curve] = []
        for system in contents.systems:
            chosen = [row for row in rows if row.system == system.name and row.condition.name == name]
            clean = contents.clean_of(chosen[0]) if chosen else None
            curves += curves_of(clean, [renamed(row, system.name) for row in chosen], contents.primary)
        panels[name] = tuple(curves)
    return panels


def _figures(contents: Contents) -> tuple[Figure, ...]:
    figures = []
    for name, curves in corruption_curves(contents).items():
        svg = curve_chart(
            curves,
            title=f"{contents.primary.label} under {name} over severity",
            x_label="severity",
            y_label=f"mean {contents.primary.heading}",
            scale=1,
            sizes=HALF_SIZES,
        )
        figures.append(Figure(svg, name, "", legend_of(curves)))
    return tuple(figures)


def _map(
    contents: Contents, rows: Sequence[Row], severities: Sequence[float]
) -> tuple[tuple[str, tuple[MapCell, ...]], ...]:
    found = {(row.system, row.condition.name, row.condition.strength): row for row in rows}
    names = list(dict.fromkeys(row.condition.name for row in rows))
    systems = [system.name for system in contents.systems]
    whole = {
        name: values.of_whole_cases.under
        for name in systems
        if (values := corruption_values(contents, name)) is not None
    }
    made = [
        (
            name,
            tuple(
                _cell(found.get((system, name, severity)), whole.get(system, {}).get((name, severity), {}))
                for system in systems
                for severity in severities
            ),
        )
        for name in names
    ]
    # The hardest first.
    return tuple(sorted(made, key=lambda row: math.fsum(1 if cell.value is None else cell.value for cell in row[1])))


def _cell(row: Row | None, by_case: Mapping[str, float]) -> MapCell:
    """Over the cases that have a value under everything, as the summary is."""
    if row is None or not by_case:
        return MapCell(None, "", "transparent", "inherit", "")
    value = math.fsum(by_case.values()) / len(by_case)
    seen = [(name, unit, visibility_of(row, name)) for name, unit in (("SSIM", ""), ("PSNR", " dB"))]
    tip = ", ".join(f"{name} {number:.3g}{unit}" for name, unit, number in seen if number is not None)
    return MapCell(value, row.origin, map_colour(value), ink_on(value), tip)


def _by_case(row: Row, measure: str) -> dict[str, float]:
    return {case.case_id: value for case in row.cases if (value := case.mean(measure)) is not None}
