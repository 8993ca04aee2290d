"""One network under the attacks of one threat model: curves, classes, and every case."""

import dataclasses
from collections.abc import Sequence

from rogseg.report.contents import Contents, ThreatText
from rogseg.report.palette import line_of_class
from rogseg.report.rows import CaseValues, Row
from rogseg.report.summaries import curves_of, reference_strength, smallest_fooling, worst_rows
from rogseg.report.svg.cases import CasePair, fooling_chart, pairs_chart, size_chart
from rogseg.report.svg.curves import BROAD_SIZES, HALF_SIZES, TALL_SIZES, curve_chart
from rogseg.report.views.figures import EPSILON_AXIS, Figure, curve_caption, legend_of, renamed

__all__ = ["AttackView", "CaseLine", "attack_views"]


@dataclasses.dataclass(frozen=True)
class CaseLine:
    """A case in the table of cases: its size, its clean value, its value at each epsilon, and where it fell first."""

    case_id: str
    millilitres: float | None
    clean: float | None
    attacked: tuple[tuple[CaseValues, float | None, str] | None, ...]
    fell_at: tuple[str, float] | None
    can_fall: bool


@dataclasses.dataclass(frozen=True)
class AttackView:
    """One system under the attacks of one threat model."""

    system: str
    threat: ThreatText
    reference: str
    figures: tuple[Figure, ...]
    class_figures: tuple[Figure, ...]
    pairs: Figure
    details: tuple[Figure, ...]
    labels: tuple[str, ...]
    lines: tuple[CaseLine, ...]


def attack_views(contents: Contents) -> tuple[AttackView, ...]:
    """One view per system and threat model that has attacks."""
    views = []
    for system in contents.systems:
        for threat in contents.threats:
            worst = worst_rows(contents, system.name, threat.norm)
            if worst:
                views.append(_attack_view(contents, system.name, threat, worst))
    return tuple(views)


def _attack_view(contents: Contents, system: str, threat: ThreatText, worst: tuple[Row, ...]) -> AttackView:
    measure = contents.primary
    clean = next(iter(contents.rows_of(system, ("clean",))), None)
    rows = [r for r in contents.rows_of(system, ("attack", "worst case")) if r.condition.norm == threat.norm]
    reference = reference_strength(contents, system, threat.norm)
    at = next(row for row in worst if row.condition.strength == reference)
    label = at.condition.label
    whole = curve_chart(
        curves := curves_of(clean, rows, measure.name),
        title=f"{measure.label} of {system} over epsilon, a line per attack",
        x_label=EPSILON_AXIS,
        y_label=f"mean {measure.heading}",
        scale=255,
        sizes=TALL_SIZES if len(contents.classes) > 1 else BROAD_SIZES,
    )
    return AttackView(
        system=system,
        threat=threat,
        reference=label,
        figures=(Figure(whole, f"{measure.label} over epsilon", curve_caption(curves), legend_of(curves)),),
        class_figures=_class_figures(contents, system, clean, worst),
        pairs=_pairs(contents, clean, at, system),
        details=_details(contents, worst, at),
        labels=tuple(row.condition.label for row in worst),
        lines=_case_lines(contents, clean, worst),
    )


def _class_figures(contents: Contents, system: str, clean: Row | None, worst: Sequence[Row]) -> tuple[Figure, ...]:
    if len(contents.classes) < 2:
        return ()
    figures = []
    for index, entry in enumerate(contents.classes):
        curves = curves_of(clean, [renamed(row, entry.name) for row in worst], contents.primary.name, index)
        svg = curve_chart(
            curves,
            title=f"{contents.primary.label} of {entry.name} of {system} over epsilon, worst attack",
            x_label="epsilon [1/255]",
            y_label=f"{entry.name}: mean {contents.primary.heading}",
            scale=255,
            sizes=HALF_SIZES,
            first_colour=line_of_class(index),
        )
        figures.append(Figure(svg, entry.name, ""))
    return tuple(figures)


def _pairs(contents: Contents, clean: Row | None, at: Row, system: str) -> Figure:
    measure = contents.primary
    before = {case.case_id: case.mean(measure.name) for case in clean.cases} if clean else {}
    pairs: list[CasePair] = []
    for case in at.cases:
        clean_value, attacked = before.get(case.case_id), case.mean(measure.name)
        if clean_value is not None and attacked is not None:
            pairs.append((case.case_id, clean_value, attacked, case.fell))
    title = f"{measure.label} of each case of {system}, clean and at {at.condition.label}"
    svg = pairs_chart(pairs, title=title, y_label=f"{measure.heading}, mean over classes") if pairs else ""
    name = at.condition.name if at.condition.kind == "attack" else "the worst attack on each case"
    caption = f"Open circle: clean. Filled: at {at.condition.label} under {name}. Cases that fell are drawn strongly."
    return Figure(svg, "Every case, before and after", caption)


def _details(contents: Contents, worst: Sequence[Row], at: Row) -> tuple[Figure, ...]:
    figures = []
    found = smallest_fooling(worst)
    if found:
        points = []
        for row in worst:
            fallen = sum(c is not None and c.strength <= row.condition.strength for c in found.values())
            points.append((row.condition.strength * 255, row.condition.label, fallen / len(found)))
        svg = fooling_chart([("worst case", points)], title="Share of cases that fell by each epsilon")
        caption = f"The share of the {len(found)} cases that fell by each tested epsilon."
        figures.append(Figure(svg, "Smallest epsilon that fools", caption))
    sized = [
        (case.case_id, entry.name, size, value)
        for case in at.cases
        for entry, size, value in zip(
            contents.classes,
            contents.case_sizes.get(case.case_id, ()),
            case.values.get(contents.primary.name, ()),
            strict=False,
        )
        if size and value is not None
    ]
    if sized:
        label = at.condition.label
        svg = size_chart(
            sized,
            title=f"{contents.primary.label} at {label} over size",
            y_label=f"{contents.primary.heading} at {label}",
        )
        legend = tuple((entry.name, line_of_class(index)) for index, entry in enumerate(contents.classes))
        figures.append(Figure(svg, "Small and large targets", "A dot per case and class.", legend))
    return tuple(figures)


def _case_lines(contents: Contents, clean: Row | None, worst: Sequence[Row]) -> tuple[CaseLine, ...]:
    measure, found = contents.primary.name, smallest_fooling(worst)
    before = {case.case_id: case.mean(measure) for case in clean.cases} if clean else {}
    by_row = [({case.case_id: case for case in row.cases}, row.origin) for row in worst]
    ids = dict.fromkeys([*before, *(case_id for cases, _ in by_row for case_id in cases)])
    lines = []
    for case_id in ids:
        sizes = [size for size in contents.case_sizes.get(case_id, ()) if size is not None]
        cells = [(cases[case_id], cases[case_id].mean(measure), o) if case_id in cases else None for cases, o in by_row]
        at = found.get(case_id)
        lines.append(
            CaseLine(
                case_id=case_id,
                millilitres=sum(sizes) if sizes else None,
                clean=before.get(case_id),
                attacked=tuple(cells),
                fell_at=None if at is None else (at.label, at.strength),
                can_fall=case_id in found,
            )
        )
    return tuple(lines)
