"""Every case of a network under attack: before and after, by size, and where it fell."""

import dataclasses
from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.evaluation.case_record import PerClass
from rogseg.report.contents import Contents, ThreatText
from rogseg.report.palette import line_of_class
from rogseg.report.rows import CaseValues, Row
from rogseg.report.summaries import fell_by, smallest_fooling, values_of
from rogseg.report.svg.cases import PAIRS, PAIRS_BESIDE, CasePair, fooling_chart, pairs_chart, size_chart
from rogseg.report.views.figures import Figure

__all__ = ["CaseLine", "case_lines", "case_pairs", "detail_figures", "pairs_figure", "sized_values"]


@dataclasses.dataclass(frozen=True)
class CaseLine:
    """A case in the table of cases: sizes, clean value, its value at each epsilon, and where it fell first.

    ``sizes`` [ml] are those of each class in the target, empty where they are not known. They have no sum: classes may
    be regions that lie in one another.
    """

    case_id: str
    sizes: PerClass
    clean: float | None
    attacked: tuple[tuple[CaseValues, float | None, str] | None, ...]
    fell_at: tuple[str, float] | None
    stands: bool


def case_pairs(clean: Row | None, at: Row, measure: str) -> tuple[CasePair, ...]:
    """Clean and attacked value of each case that has both, and whether it fell."""
    before = {case.case_id: case.mean(measure) for case in clean.cases} if clean else {}
    pairs: list[CasePair] = []
    for case in at.cases:
        clean_value, attacked = before.get(case.case_id), case.mean(measure)
        if clean_value is not None and attacked is not None:
            pairs.append((case.case_id, clean_value, attacked, case.fell))
    return tuple(pairs)


def sized_values(contents: Contents, at: Row) -> tuple[tuple[str, str, float, float], ...]:
    """Case, class, size of its target [ml] and attacked value, class by class, where size and value are known."""
    sizes = [contents.case_sizes.get(case.case_id) or (None,) * len(contents.classes) for case in at.cases]
    return tuple(
        (case.case_id, entry.name, size, value)
        for index, entry in enumerate(contents.classes)
        for case, of_case, value in zip(at.cases, sizes, values_of(at, contents.primary, index), strict=True)
        if (size := of_case[index]) and value is not None
    )


def pairs_figure(contents: Contents, clean: Row | None, at: Row, system: str, *, is_beside: bool) -> Figure:
    """A bar per case from clean to attacked, alone or beside another; without a chart where no case has both values."""
    measure = contents.primary
    pairs = case_pairs(clean, at, measure.name)
    title = f"{measure.label} of each case of {system}, clean and at {at.condition.label}"
    sizes, label = PAIRS_BESIDE if is_beside else PAIRS, f"{measure.heading}, mean over classes"
    svg = pairs_chart(pairs, title=title, y_label=label, sizes=sizes) if pairs else ""
    name = at.condition.name if at.condition.kind == "attack" else "the worst attack on each case"
    caption = f"Open circle: clean. Filled: at {at.condition.label} under {name}. Cases that fell are red."
    return Figure(svg, "Every case, before and after", caption)


def detail_figures(contents: Contents, threat: ThreatText, worst: Sequence[Row], at: Row) -> tuple[Figure, ...]:
    """How many cases fell by which epsilon, and the attacked value over the size of the target."""
    figures = []
    points, num_cases = fell_by(worst)
    if num_cases:
        steps = [(strength * threat.scale, label, share) for strength, label, share in points]
        svg = fooling_chart(
            [("worst case", steps)], title="Share of cases that fell by each epsilon", x_label=threat.axis
        )
        caption = f"The share of {worded_cases(num_cases)} that fell by each tested epsilon."
        figures.append(Figure(svg, "Smallest epsilon that fools", caption))
    sized, label = sized_values(contents, at), at.condition.label
    if sized:
        title = f"{contents.primary.label} at {label} over the size of the target"
        names = [entry.name for entry in contents.classes]
        svg = size_chart(sized, names, title=title, y_label=f"{contents.primary.heading} at {label}")
        legend = tuple((entry.name, line_of_class(index)) for index, entry in enumerate(contents.classes))
        figures.append(Figure(svg, "Small and large targets", "A dot per case and class.", legend))
    return tuple(figures)


def case_lines(contents: Contents, clean: Row | None, worst: Sequence[Row]) -> tuple[CaseLine, ...]:
    """The table of cases: a line per case of the clean or the attacked rows."""
    measure, found = contents.primary.name, smallest_fooling(worst)
    before = {case.case_id: case.mean(measure) for case in clean.cases} if clean else {}
    by_row = [({case.case_id: case for case in row.cases}, row.origin) for row in worst]
    ids = dict.fromkeys([*before, *(case_id for cases, _ in by_row for case_id in cases)])
    lines = []
    for case_id in ids:
        cells = [(cases[case_id], cases[case_id].mean(measure), o) if case_id in cases else None for cases, o in by_row]
        at = found.get(case_id)
        lines.append(
            CaseLine(
                case_id=case_id,
                sizes=contents.case_sizes.get(case_id, ()),
                clean=before.get(case_id),
                attacked=tuple(cells),
                fell_at=None if at is None else (at.label, at.strength),
                # One that was not attacked at every epsilon yet may fall at those that are left.
                stands=case_id in found and at is None and all(cells),
            )
        )
    return tuple(lines)
