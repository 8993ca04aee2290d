"""One network under the attacks of one threat model: curves, classes, and every case."""

import dataclasses
from collections.abc import Sequence

from rogseg.report.contents import Contents, ThreatText
from rogseg.report.curves import curves_of
from rogseg.report.palette import line_of_class
from rogseg.report.rows import Row
from rogseg.report.summaries import reference_strength, worst_rows
from rogseg.report.svg.curves import BROAD_SIZES, HALF_SIZES, TALL_SIZES, curve_chart
from rogseg.report.views.cases import CaseLine, case_lines, detail_figures, pairs_figure
from rogseg.report.views.figures import Figure, curve_caption, legend_of, renamed

__all__ = ["AttackView", "attack_views"]


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
    clean = contents.clean_of(worst[0])
    rows = [r for r in contents.rows_of(system, ("attack", "worst case")) if r.condition.norm == threat.norm]
    reference = reference_strength(contents, system, threat.norm)
    at = next(row for row in worst if row.condition.strength == reference)
    label = at.condition.label
    whole = curve_chart(
        curves := curves_of(clean, rows, measure),
        title=f"{measure.label} of {system} over epsilon, a line per attack",
        x_label=threat.axis,
        y_label=f"mean {measure.heading}",
        scale=threat.scale,
        sizes=TALL_SIZES if len(contents.classes) > 1 else BROAD_SIZES,
    )
    details = detail_figures(contents, threat, worst, at)
    return AttackView(
        system=system,
        threat=threat,
        reference=label,
        figures=(Figure(whole, f"{measure.label} over epsilon", curve_caption(curves), legend_of(curves)),),
        class_figures=_class_figures(contents, threat, clean, worst),
        pairs=pairs_figure(contents, clean, at, system, is_beside=len(details) == 1),
        details=details,
        labels=tuple(row.condition.label for row in worst),
        lines=case_lines(contents, clean, worst),
    )


def _class_figures(
    contents: Contents, threat: ThreatText, clean: Row | None, worst: Sequence[Row]
) -> tuple[Figure, ...]:
    if len(contents.classes) < 2:
        return ()
    figures = []
    for index, entry in enumerate(contents.classes):
        curves = curves_of(clean, [renamed(row, entry.name) for row in worst], contents.primary, index)
        svg = curve_chart(
            curves,
            title=f"{contents.primary.label} of {entry.name} of {worst[0].system} over epsilon, worst attack",
            x_label=threat.axis,
            y_label=f"mean {contents.primary.heading}",
            scale=threat.scale,
            sizes=HALF_SIZES,
            first_colour=line_of_class(index),
        )
        figures.append(Figure(svg, entry.name, ""))
    return tuple(figures)
