"""Networks against each other."""

import dataclasses
from collections.abc import Iterator
from itertools import combinations

from rogseg.report.contents import Contents
from rogseg.report.curves import Curve, curves_of
from rogseg.report.estimates import Estimate
from rogseg.report.rows import Row
from rogseg.report.summaries import difference_of, worst_rows
from rogseg.report.svg.curves import curve_chart
from rogseg.report.trainings import trainings_among
from rogseg.report.views.figures import Figure, curve_caption, legend_of, renamed

__all__ = [
    "Comparison",
    "attacks_on",
    "comparisons",
    "differing_attacks",
    "system_curves",
    "system_figure",
]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Second minus first on the same cases, clean or at one epsilon; no difference where other attacks were made.

    Args:
        first: network.
        second: network.
        label: the epsilon as it is written, or clean.
        strength: epsilon, 0 for clean.
        norm: of the threat model; empty for clean values.
        difference: mean over the cases.
        measured: what both were measured on (`Row.measured`).
        attacks: that both met there, with all settings; None where they met others.
    """

    first: str
    second: str
    label: str
    strength: float
    norm: str
    difference: Estimate
    measured: tuple[str, str]
    attacks: frozenset[str] | None


def comparisons(contents: Contents) -> tuple[Comparison, ...]:
    """Paired differences of every two systems: clean, and at each epsilon that both have.

    Networks that met other attacks there, or the same with other settings or code, have none. Of several trainings of
    recipes those of the same number are compared.
    """
    made = []
    for first, second, a, b in _pairs(contents):
        condition, difference = a.condition, difference_of(a, b, contents.primary)
        attacks: frozenset[str] | None = attacks_on(contents, a)
        if attacks != attacks_on(contents, b):
            attacks, difference = None, Estimate(None, None, None, difference.cases)
        label, norm = condition.label or "clean", condition.norm
        made.append(Comparison(first, second, label, condition.strength, norm, difference, a.measured, attacks))
    return tuple(made)


def _pairs(contents: Contents) -> Iterator[tuple[str, str, Row, Row]]:
    """Every two systems with the rows of both that compare: the clean ones, then those at each epsilon."""
    names = [system.name for system in contents.systems]
    trainings = trainings_among(names)
    for first, second in combinations(names, 2):
        if first in trainings and second in trainings and trainings[first][1] != trainings[second][1]:
            continue
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
        yield from ((first, second, a, b) for a, b in pairs)


def attacks_on(contents: Contents, row: Row) -> frozenset[str]:
    """The attacks on a network, all settings included, that have a row in the norm and at the strength of this one."""
    at = (row.condition.norm, row.condition.strength)
    attacks = [one.condition for one in contents.rows_of(row.system, ("attack",))]
    return frozenset(one.recipe or one.name for one in attacks if (one.norm, one.strength) == at)


def differing_attacks(contents: Contents, norm: str | None = None) -> tuple[str, ...]:
    """A sentence per two networks that met other attacks at one epsilon, in all norms or in one."""
    found: dict[tuple[str, str], list[str]] = {}
    for first, second, a, b in _pairs(contents):
        if norm in (None, a.condition.norm) and attacks_on(contents, a) != attacks_on(contents, b):
            found.setdefault((first, second), []).append(a.condition.label)
    return tuple(
        f"Attacks differ: {first} and {second} met other attacks, or the same with other settings, at "
        f"{', '.join(labels)}, so their values there do not compare and no difference is given."
        for (first, second), labels in found.items()
    )


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
    caption = " ".join([curve_caption(curves), *differing_attacks(contents, threat.norm)])
    return Figure(svg, "All networks, each under its worst attack.", caption, legend_of(curves))
