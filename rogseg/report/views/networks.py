"""Networks against each other."""

import dataclasses
from itertools import combinations

from rogseg.report.contents import Contents
from rogseg.report.curves import Curve, curves_of
from rogseg.report.estimates import Estimate
from rogseg.report.summaries import difference_of, worst_rows
from rogseg.report.svg.curves import curve_chart
from rogseg.report.views.figures import Figure, curve_caption, legend_of, renamed

__all__ = [
    "Comparison",
    "comparisons",
    "system_curves",
    "system_figure",
]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Second minus first on the same cases, clean or at one epsilon."""

    first: str
    second: str
    label: str
    strength: float
    norm: str
    difference: Estimate


def comparisons(contents: Contents) -> tuple[Comparison, ...]:
    """Paired differences of every two systems: clean, and at each epsilon that both have."""
    measure, made = contents.primary, []
    for first, second in combinations([system.name for system in contents.systems], 2):
        ours = [row for threat in contents.threats for row in worst_rows(contents, first, threat.norm)]
        theirs = {
            (row.condition.norm, row.condition.strength): row
            for threat in contents.threats
            for row in worst_rows(contents, second, threat.norm)
        }
        clean = contents.clean_of(ours[0]) if ours else None
        attacked = [(row, theirs.get((row.condition.norm, row.condition.strength))) for row in ours]
        pairs = [(row, other) for row, other in attacked if other is not None and other.measured == row.measured]
        if pairs and clean is not None and (other := contents.clean_of(pairs[0][1])) is not None:
            pairs.insert(0, (clean, other))
        for a, b in pairs:
            label = a.condition.label or "clean"
            made.append(
                Comparison(first, second, label, a.condition.strength, a.condition.norm, difference_of(a, b, measure))
            )
    return tuple(made)


def system_curves(contents: Contents, norm: str, index: int | None = None) -> tuple[Curve, ...]:
    """A curve per system under its worst attack; of one class, or of the mean over classes."""
    curves: list[Curve] = []
    for system in contents.systems:
        worst = worst_rows(contents, system.name, norm)
        clean = contents.clean_of(worst[0]) if worst else None
        curves += curves_of(clean, [renamed(row, system.name) for row in worst], contents.primary, index)
    return tuple(curves)


def system_figure(contents: Contents) -> Figure | None:
    """All systems under their worst attack, a line each; None for a single one."""
    if len(contents.systems) < 2 or not contents.threats:
        return None
    measure, threat = contents.primary, contents.threats[0]
    curves = system_curves(contents, threat.norm)
    if not curves:
        return None
    title = f"{measure.label} over epsilon, each network under its worst attack"
    label = f"mean {measure.heading}"
    svg = curve_chart(curves, title=title, x_label=threat.axis, y_label=label, scale=threat.scale)
    return Figure(svg, "All networks, each under its worst attack.", curve_caption(curves), legend_of(curves))
