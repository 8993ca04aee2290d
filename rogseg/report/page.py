"""The page: one HTML file that holds all that it shows, and asks no network for anything."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2

from rogseg.cases import worded_cases
from rogseg.evaluation.proved_bounds import radius_text, rounded_down, rounded_up
from rogseg.report.contents import Contents
from rogseg.report.estimates import Estimate
from rogseg.report.palette import CLASS_COLOURS, LINE_COLOURS, LINE_COLOURS_DARK, rgb
from rogseg.report.rows import Row
from rogseg.report.summaries import VISIBILITY, estimate_of, visibility_estimates, visible_rows
from rogseg.report.verdict import verdict_of
from rogseg.report.viewer_data import embed
from rogseg.report.views.attacks import attack_views
from rogseg.report.views.certificates import certificate_view
from rogseg.report.views.checks import checks_of, not_examined_of, passed_of
from rogseg.report.views.corruptions import corruption_view
from rogseg.report.views.figures import table_rows
from rogseg.report.views.networks import comparisons, differing_attacks, system_figure
from rogseg.report.views.trainings import differences_over_trainings, differing_trainings, values_over_trainings
from rogseg.report.views.transfers import SETTINGS_DIFFER, transfer_matrices

__all__ = ["render_page"]

WORDS = {
    "NSD": "Share of the two surfaces that lie within the distance in its name of each other. 1 is best.",
    "HD95": "Distance [mm] that 95% of either surface keep to the other, the larger of both. 0 is best.",
    "volume error": "Volume of the prediction less that of the target; above 0 is too much.",
    "false volume": "What is predicted of a class that the case does not have; 0 is best.",
}
"""Measures for who does not know them, by the beginning of their names."""
CASES_OF = {
    "attack": "attacked",
    "worst case": "attacked",
    "transfer": "attacked by transfer",
    "corruption": "corrupted",
    "certificate": "certified",
}
"""What is done to the cases of a kind of condition."""
SCRIPTS = ("tables.js", "charts.js")
VIEWER_SCRIPTS = ("volume.js", "viewer.js", "viewer_input.js")


def render_page(contents: Contents) -> str:
    """The page as HTML.

    Everything that comes from records is escaped; scripts are allowed by their digests, so that nothing else runs.
    """
    environment = _environment()
    volumes, note = embed(contents.volumes)
    views, others, certificates = attack_views(contents), comparisons(contents), certificate_view(contents)
    corruptions = corruption_view(contents)
    names = (*SCRIPTS, *VIEWER_SCRIPTS) if volumes else SCRIPTS
    scripts = [_source(name) for name in names]
    colours = {"line_colours": LINE_COLOURS, "line_colours_dark": LINE_COLOURS_DARK}
    record_rows = [row for row in contents.rows if row.condition.kind != "worst case"]
    compared = [row for row in contents.rows if not contents.is_accuracy(row)]
    attacked, measure_rows = _attacked(compared), _measure_rows(contents, compared)
    # What only corruptions left stands in their section.
    has_results = corruptions is None or bool(attacked or measure_rows) or len(compared) < len(contents.rows)
    context: dict[str, Any] = {
        "contents": contents,
        "style": environment.get_template("page.css").render(colours),
        "scripts": scripts,
        "script_hashes": " ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        "sections": _sections(
            has_results, corruptions is not None, certificates is not None, bool(volumes or note), bool(views)
        ),
        "cases": _told_cases(compared or contents.rows),
        "num_records": sum(len(row.cases) for row in record_rows),
        "verdicts": [verdict_of(contents, system.name) for system in contents.systems],
        "checks": checks_of(contents.findings),
        "not_examined": not_examined_of(contents),
        "check_counts": {system.name: passed_of(contents.findings, system.name) for system in contents.systems},
        "attack_views": views,
        "system_figure": system_figure(contents),
        "has_results": has_results,
        "result_rows": table_rows(contents, attacked, ("clean", "attack", "worst case")),
        "accuracy_rows": [
            (row, [estimate_of(row, m) for m in contents.measures]) for row in contents.rows if row not in compared
        ],
        "trainings": values_over_trainings(contents),
        "training_differences": differences_over_trainings(contents, others),
        "comparisons": others,
        "differing_attacks": (*differing_attacks(contents), *differing_trainings(contents)),
        "widest_difference": max(
            [abs(b) for c in others for b in (c.difference.lower, c.difference.upper) if b] or [1]
        ),
        "corruptions": corruptions,
        "corruption_rows": table_rows(contents, compared, ("corruption",)),
        "certificates": certificates,
        "transfers": transfer_matrices(contents),
        "settings_differ": SETTINGS_DIFFER,
        "measure_rows": measure_rows,
        "visible_rows": [(row, visibility_estimates(row)) for row in visible_rows(contents)],
        "visible_headings": [(heading, digits) for heading, digits, _ in VISIBILITY.values()],
        "record_rows": record_rows,
        "viewer_volumes": volumes,
        "viewer_note": note,
        "class_colours": [rgb(colour) for colour in CLASS_COLOURS],
        "colours_of_classes": CLASS_COLOURS,
        "words": WORDS,
    }
    return environment.get_template("page.html.j2").render(context)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rogseg.report"),
        autoescape=jinja2.select_autoescape(["html.j2"], default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"down": rounded_down, "up": rounded_up, "radius": radius_text}
    # NaN is no JSON; a browser would stop at it.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    return environment


def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sections(
    has_results: bool, has_corruptions: bool, has_certificates: bool, has_volumes: bool, has_attacks: bool
) -> list[tuple[str, str]]:
    sections = [("verdict", "Verdict"), ("checks", "Checks"), ("tested", "What was tested")]
    if has_results:
        sections.append(("results", "Results"))
    if has_corruptions:
        sections.append(("corruptions", "Corruptions"))
    if has_certificates:
        sections.append(("certificates", "Certificates"))
    if has_volumes:
        sections.append(("look", "Look at it"))
    if has_attacks:
        sections.append(("cases", "Case by case"))
    return [*sections, ("limits", "Limits"), ("again", "Make it again")]


def _told_cases(rows: Sequence[Row]) -> str:
    """How many cases there are, and of what, where not all were given the same."""
    by_words: dict[str, set[str]] = {}
    for row in rows:
        words = CASES_OF.get(row.condition.kind)
        if words is not None:
            by_words.setdefault(words, set()).update(case.case_id for case in row.cases)
    sets = list(by_words.values())
    if any(one != sets[0] for one in sets):
        return ", ".join(f"{worded_cases(len(cases))} {words}" for words, cases in by_words.items())
    return worded_cases(len({case.case_id for row in rows for case in row.cases}))


def _attacked(rows: list[Row]) -> list[Row]:
    """Without the clean rows that only corruptions and transfers compare with; those stand in their sections."""
    elsewhere = ("corruption", "transfer")
    attacked = {(row.system, row.measured) for row in rows if row.condition.kind not in ("clean", *elsewhere)}
    others = {(row.system, row.measured) for row in rows if row.condition.kind in elsewhere}
    return [row for row in rows if (row.system, row.measured) in attacked or (row.system, row.measured) not in others]


def _measure_rows(contents: Contents, rows: list[Row]) -> list[tuple[Row, list[Estimate]]]:
    if len(contents.measures) < 2:
        return []
    estimates = [(row, [estimate_of(row, measure) for measure in contents.measures]) for row in rows]
    # Nothing beside the primary measure is nothing to show.
    return estimates if any(e.value is not None for _, of_row in estimates for e in of_row[1:]) else []
