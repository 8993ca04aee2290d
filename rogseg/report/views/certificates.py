"""What is certified of the smoothed networks: the sentence, the figure, and the lines of the tables."""

import dataclasses
from collections.abc import Callable, Sequence

from rogseg.cases import worded_cases
from rogseg.certification import CertifiedCase, RegionBounds
from rogseg.evaluation.case_record import class_mean
from rogseg.evaluation.proved_bounds import radius_text, rounded_down
from rogseg.report.contents import Contents, ThreatText
from rogseg.report.curves import Curve, CurvePoint, curves_of
from rogseg.report.estimates import Estimate, mean_over_cases
from rogseg.report.rows import CaseValues, Row
from rogseg.report.summaries import worst_rows
from rogseg.report.svg.curves import curve_chart
from rogseg.report.views.figures import Figure, legend_of, renamed

__all__ = ["AXIS", "CertificateLine", "CertificateView", "RegionLine", "certificate_curves", "certificate_view"]

AXIS = "L2 radius [RMS, 1/255 of the intensity range]"
ATTACKED = "attacked, not smoothed"
VOLUMES = ("volume_target", "volume_smoothed", "volume_lower", "volume_upper")


@dataclasses.dataclass(frozen=True)
class RegionLine:
    """A class or group under one certificate: means over cases, and the volumes [ml] of each case."""

    name: str
    is_group: bool
    lower: Estimate
    upper: Estimate
    certified: Estimate
    abstained: Estimate
    volumes: tuple[Estimate, ...]
    cases: tuple[tuple[str, RegionBounds], ...]


@dataclasses.dataclass(frozen=True)
class CertificateLine:
    """One system at one sigma and tau."""

    row: Row
    first: CertifiedCase
    rms: str
    rms_mean: float
    smoothed: Estimate
    lower: Estimate
    upper: Estimate
    accuracy: Estimate
    abstained: Estimate
    fell_back: Estimate
    regions: tuple[RegionLine, ...]


@dataclasses.dataclass(frozen=True)
class CertificateView:
    """All certificates of a report: a sentence for each system, the figure, the lines."""

    sentences: tuple[str, ...]
    figure: Figure
    lines: tuple[CertificateLine, ...]


def certificate_view(contents: Contents) -> CertificateView | None:
    """None where nothing was certified."""
    lines = tuple(_line(row) for row in contents.rows if row.condition.kind == "certificate")
    if not lines:
        return None
    sentences = []
    for system in dict.fromkeys(line.row.system for line in lines):
        best = max((one for one in lines if one.row.system == system), key=lambda line: line.lower.value or 0.0)
        sentences.append(_sentence(best, contents.primary.label))
    curves = certificate_curves(contents)
    measure = contents.primary
    svg = curve_chart(
        curves,
        title=f"Certified {measure.label} over the radius",
        x_label=AXIS,
        y_label=f"mean {measure.heading}",
        scale=255.0,
    )
    caption = (
        "A certified line says how low it can get, whatever the perturbation; its point at 0 is measured, not proved. "
        "Each radius is the mean over the cases, as larger volumes have smaller ones."
    )
    if any(curve.name.endswith(ATTACKED) for curve in curves):
        caption += " The attacked line is of the network itself, the certificate of its smoothed version."
    apart = [
        system for system in dict.fromkeys(line.row.system for line in lines) if _attacked_elsewhere(contents, system)
    ]
    if apart:
        caption += f" Of {', '.join(apart)} no attacked line is drawn: the L2 attacks were on other cases or windows."
    return CertificateView(
        tuple(sentences), Figure(svg, f"Certified {measure.label}.", caption, legend_of(curves)), lines
    )


def certificate_curves(contents: Contents) -> tuple[Curve, ...]:
    """For each system and sigma the lower bound over the radius, and the system itself under its L2 attacks."""
    curves, several = [], len(contents.systems) > 1
    for system in contents.systems:
        rows = contents.rows_of(system.name, ("certificate",))
        prefix = f"{system.name}, " if several else ""
        for name in dict.fromkeys(row.condition.name for row in rows):
            lines = [_line(row) for row in rows if row.condition.name == name]
            lines.sort(key=lambda line: line.row.condition.strength)
            start = CurvePoint(0.0, "smoothed, measured", lines[0].smoothed, (), lines[0].row.origin)
            points = [
                CurvePoint(line.rms_mean, f"at least, within {line.rms}", line.lower, _dots(line), line.row.origin)
                for line in lines
            ]
            curves.append(Curve(f"{prefix}{name}", (start, *points)))
        worst = _attacked(contents, system.name) if rows else ()
        if worst and worst[0].measured == rows[0].measured:
            shown = [renamed(row, f"{prefix}{ATTACKED}") for row in worst]
            curves += curves_of(contents.clean_of(worst[0]), shown, contents.primary)
    return tuple(curves)


def _attacked(contents: Contents, system: str) -> tuple[Row, ...]:
    """A system under its worst L2 attacks, in the unit of the radius."""
    threat = _comparable(contents.threats)
    return worst_rows(contents, system, threat.norm) if threat else ()


def _attacked_elsewhere(contents: Contents, system: str) -> bool:
    """Whether its L2 attacks were on other cases than its certificates, or on another part of them."""
    certified, attacked = contents.rows_of(system, ("certificate",)), _attacked(contents, system)
    return bool(attacked) and attacked[0].measured != certified[0].measured


def _comparable(threats: Sequence[ThreatText]) -> ThreatText | None:
    """The threat model whose epsilon is the unit of the radius: L2, as a fraction of the system's own box."""
    return next((threat for threat in threats if threat.norm == "L2"), None)


def _line(row: Row) -> CertificateLine:
    cases = [(case, case.certificate) for case in row.cases if case.certificate is not None]
    certified = [certificate for _, certificate in cases]
    first = certified[0]
    rms = [one.radius_rms for one in certified]
    low, high = radius_text(255 * min(rms), 2), radius_text(255 * max(rms), 2)

    def mean(of: Callable[[CertifiedCase], float | None]) -> Estimate:
        return mean_over_cases([of(one) for one in certified], (0.0, 1.0))

    return CertificateLine(
        row=row,
        first=first,
        rms=f"{low}/255" if low == high else f"{low} to {high}/255",
        rms_mean=sum(rms) / len(rms),
        smoothed=mean(lambda one: class_mean([b.dice_smoothed for b in one.classes.values()])),
        lower=mean(lambda one: class_mean([b.dice_lower for b in one.classes.values()])),
        upper=mean(lambda one: class_mean([b.dice_upper for b in one.classes.values()])),
        accuracy=mean(lambda one: one.accuracy),
        abstained=mean(lambda one: one.abstained),
        fell_back=mean(lambda one: one.fell_back),
        regions=tuple(_region(name, name in first.groups, cases) for name in (*first.classes, *first.groups)),
    )


def _region(name: str, is_group: bool, cases: Sequence[tuple[CaseValues, CertifiedCase]]) -> RegionLine:
    of_case = tuple((case.case_id, {**one.classes, **one.groups}[name]) for case, one in cases)

    def mean(key: str, upper: float | None) -> Estimate:
        return mean_over_cases([getattr(bounds, key) for _, bounds in of_case], (0.0, upper))

    return RegionLine(
        name,
        is_group,
        lower=mean("dice_lower", 1.0),
        upper=mean("dice_upper", 1.0),
        certified=mean("certified", 1.0),
        abstained=mean("abstained", 1.0),
        volumes=tuple(mean(key, None) for key in VOLUMES),
        cases=of_case,
    )


def _dots(line: CertificateLine) -> tuple[tuple[str, float], ...]:
    means = ((case.case_id, case.certificate) for case in line.row.cases)
    values = (
        (case_id, class_mean([bounds.dice_lower for bounds in one.classes.values()]))
        for case_id, one in means
        if one is not None
    )
    return tuple((case_id, value) for case_id, value in values if value is not None)


def _sentence(line: CertificateLine, measure: str) -> str:
    cases = worded_cases(line.lower.cases)
    lower = rounded_down(line.lower.value, 2)
    if lower is None or line.smoothed.value is None:
        return f"{line.row.system}: no case has a target, so nothing is certified of its {measure}."
    return (
        f"{line.row.system}, smoothed with noise of {line.first.sigma:.0%} of the intensity range: whatever is done to "
        f"the image within a root mean square of {line.rms} of that range, {measure} stays at {lower:.2f} "
        f"or above on average over {cases}; without any change it is {line.smoothed.value:.2f}."
    )
