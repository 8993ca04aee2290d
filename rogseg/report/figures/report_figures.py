"""All figures that the contents of a report have data for."""

import re
from pathlib import Path
from textwrap import wrap
from typing import Any

from rogseg.report.contents import Contents, ThreatText
from rogseg.report.curves import Curve, curves_of, of_same_strengths
from rogseg.report.figures.attacked_slices import plot_attacked_slices
from rogseg.report.figures.case_marks import plot_case_pairs, plot_size, plot_smallest_epsilon
from rogseg.report.figures.corruption_map import plot_corruption_map
from rogseg.report.figures.dice_curves import plot_attack_area, plot_curve_panels, plot_curves
from rogseg.report.figures.networks import plot_differences, plot_transfer
from rogseg.report.figures.single_attacks import plot_single_attacks
from rogseg.report.figures.volume_error import plot_volume_error
from rogseg.report.rows import Row
from rogseg.report.summaries import clean_estimate, estimate_of, fell_by, reference_strength, values_of, worst_rows
from rogseg.report.views.cases import case_pairs, sized_values
from rogseg.report.views.certificates import AXIS, certificate_curves
from rogseg.report.views.corruptions import corruption_curves, corruption_values
from rogseg.report.views.networks import comparisons, differing_attacks, system_curves
from rogseg.report.views.transfers import TransferMatrix, transfer_matrices

__all__ = ["write_figures"]

VOLUME_ERROR = "volume error"
MOST_SLICES = 4
OTHER_ATTACKS = "attacks differ between networks"


def write_figures(contents: Contents, directory: Path) -> tuple[Path, ...]:
    """Write every figure as PNG and SVG.

    Returns:
        All files.
    """
    files: list[Path] = []
    for threat in contents.threats:
        files += _of_threat(contents, threat, directory)
    files += _transfers(contents, directory)
    panels = corruption_curves(contents)
    if panels:
        label = f"mean {contents.primary.heading}"
        files += plot_curve_panels(panels, directory / "corruptions", y_label=label, x_label="severity", scale=1)
    certified = certificate_curves(contents)
    if certified:
        label = f"mean {contents.primary.heading}"
        files += plot_curves(certified, directory / "certified_dice", y_label=label, x_label=AXIS)
    values = {system.name: corruption_values(contents, system.name) for system in contents.systems}
    corrupted = {name: of_one for name, of_one in values.items() if of_one is not None}
    if corrupted and contents.primary.bounds == (0.0, 1.0):
        files += plot_corruption_map(
            corrupted, directory / "corruption_map", measure=f"mean {contents.primary.heading}"
        )
    if contents.volumes:
        names = [entry.name for entry in contents.classes]
        files += plot_attacked_slices(contents.volumes[:MOST_SLICES], names, directory / "attacked_slices")
    return tuple(files)


def _of_threat(contents: Contents, threat: ThreatText, directory: Path) -> list[Path]:
    norm = threat.norm
    measure, files = contents.primary, list[Path]()
    stem = "" if len(contents.threats) == 1 else _suffix(norm)
    label = f"mean {measure.heading}"
    curves = system_curves(contents, norm)
    if not curves:
        return files
    x_label = f"{threat.axis}\n{OTHER_ATTACKS}" if differing_attacks(contents, norm) else threat.axis
    axis: dict[str, Any] = {"y_label": label, "x_label": x_label, "scale": threat.scale}
    files += plot_curves(curves, directory / f"dice_over_epsilon{stem}", **axis)
    if len(contents.classes) > 1:
        panels = {entry.name: system_curves(contents, norm, index) for index, entry in enumerate(contents.classes)}
        files += plot_curve_panels(panels, directory / f"dice_per_class{stem}", **axis)
    differences = [
        (f"{c.second} minus {c.first}, {c.label}", c.difference)
        for c in comparisons(contents)
        if c.norm in ("", norm) and c.attacks is not None
    ]
    if differences:
        files += plot_differences(differences, directory / f"differences{stem}")
    files += _single_attacks(contents, norm, directory / f"single_attacks{stem}")
    steps, criteria = {}, set[str]()
    for system in contents.systems:
        worst = worst_rows(contents, system.name, norm)
        if worst:
            files += _of_system(contents, threat, worst, directory)
            steps[system.name] = fell_by(worst)
            criteria |= {row.condition.criterion for row in worst}
    counts = sorted({count for _, count in steps.values()})
    # What falls by one criterion does not compare with what falls by another.
    if counts and counts[0] > 0 and len(criteria) == 1:
        points = {name: [(x * threat.scale, share) for x, _, share in of_one] for name, (of_one, _) in steps.items()}
        cases = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
        files += plot_smallest_epsilon(points, cases, directory / f"smallest_epsilon{stem}", x_label=threat.axis)
    return files


def _suffix(norm: str) -> str:
    """Of a file's name; that of a threat model may hold a comma and blanks, which LaTeX takes ill."""
    return "_" + re.sub(r"[^a-z0-9]+", "_", norm.lower())


def _transfers(contents: Contents, directory: Path) -> list[Path]:
    """A figure per attack and norm, a panel per epsilon."""
    groups: dict[tuple[str, str], list[TransferMatrix]] = {}
    for matrix in transfer_matrices(contents):
        groups.setdefault((matrix.norm, matrix.attack), []).append(matrix)
    files: list[Path] = []
    for number, group in enumerate(groups.values(), 1):
        # An attack at another epsilon may have been tried on other networks; a figure has those of its first panel.
        first = group[0]
        sources = [name for name, _ in first.rows]
        alike = [m for m in group if m.targets == first.targets and [name for name, _ in m.rows] == sources]
        panels = {f"{matrix.attack}, {matrix.label}": matrix.values for matrix in alike}
        stem = directory / ("transfer" if len(groups) == 1 else f"transfer_{number}")
        files += plot_transfer(sources, first.targets, panels, stem, measure=f"mean {contents.primary.heading}")
    return files


def _single_attacks(contents: Contents, norm: str, stem: Path) -> tuple[Path, ...]:
    systems, labels = {}, set()
    for system in contents.systems:
        reference = reference_strength(contents, system.name, norm)
        attacked = [
            row
            for row in contents.rows_of(system.name, ("attack", "worst case"))
            if (row.condition.norm, row.condition.strength) == (norm, reference)
        ]
        # Clean as the attacks were measured: corruptions and certificates have clean values of other cases or grids.
        clean = contents.clean_of(attacked[0]) if attacked else None
        labels |= {row.condition.label for row in attacked if row.condition.label}
        worst = [row for row in worst_rows(contents, system.name, norm) if row.condition.strength == reference]
        before = {} if clean is None else {clean.condition.name: clean_estimate(contents, worst[0])}
        of_attacks = {row.condition.name: estimate_of(row, contents.primary) for row in attacked}
        systems[system.name] = {**before, **of_attacks}
    # Systems that were attacked at different epsilons do not share a figure of one.
    if len(labels) != 1:
        return ()
    return plot_single_attacks(systems, labels.pop(), stem, measure=f"mean {contents.primary.heading}")


def _of_system(contents: Contents, threat: ThreatText, worst: tuple[Row, ...], directory: Path) -> list[Path]:
    measure, system, norm = contents.primary, worst[0].system, threat.norm
    axis: dict[str, Any] = {"y_label": f"mean {measure.heading}", "x_label": threat.axis, "scale": threat.scale}
    number = [entry.name for entry in contents.systems].index(system) + 1
    suffix = "" if len(contents.systems) == 1 else f"_{number}"
    suffix += "" if len(contents.threats) == 1 else _suffix(norm)
    clean = contents.clean_of(worst[0])
    attacks = [row for row in contents.rows_of(system, ("attack",)) if row.condition.norm == norm]
    curves: tuple[Curve, ...] = curves_of(clean, attacks, measure)
    files = list(plot_curves(curves, directory / f"attacks{suffix}", **axis)) if curves else []
    # Areas compare over the same cases alone, which those of a cascade's later members are not.
    alike = of_same_strengths([c for c in curves if not c.num_left_out])
    if len(alike) > 1:
        left_out = [curve.title for curve in curves if curve not in alike]
        note = wrap(f"left out, at other strengths or of other cases: {', '.join(left_out)}", 60) if left_out else []
        area = {**axis, "x_label": "\n".join([threat.axis, *note])}
        files += plot_attack_area(alike, directory / f"attack_area{suffix}", **area)
    reference = reference_strength(contents, system, norm)
    at = next(row for row in worst if row.condition.strength == reference)
    pairs = case_pairs(clean, at, measure.name)
    if pairs:
        files += plot_case_pairs(pairs, at.condition.label, directory / f"cases{suffix}", measure=measure.heading)
    sized = sized_values(contents, at)
    if sized:
        by_class = {n: [(size, value) for _, m, size, value in sized if m == n] for n in {m: 0 for _, m, _, _ in sized}}
        files += plot_size(by_class, at.condition.label, directory / f"size{suffix}", measure=measure.heading)
    volume_error = next((entry for entry in contents.measures if entry.name == VOLUME_ERROR), None)
    if volume_error is not None:
        shown = [row for row in (clean, *worst) if row is not None]
        errors = {
            entry.name: {
                row.condition.label or "clean": [v for v in values_of(row, volume_error, index) if v is not None]
                for row in shown
            }
            for index, entry in enumerate(contents.classes)
        }
        files += plot_volume_error(errors, directory / f"volume_error{suffix}", y_label=volume_error.heading)
    return files
