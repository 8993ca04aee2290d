"""The tables at the end of an evaluation under corruptions: the summary, every corruption, how visible they are."""

from collections.abc import Sequence

from rogseg.evaluation.corruption_summary import (
    CorruptionValues,
    not_applicable,
    relative_error,
    summarise_corruptions,
    values_in,
)
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.notes import notes_on
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import MeanOverCases
from rogseg.evaluation.summary import mean
from rogseg.evaluation.text_table import NOTHING, TextTable, number, with_interval

__all__ = ["corruption_notes", "corruption_tables"]


def corruption_tables(folder: RecordFolder, title: str, baseline: RecordFolder | None = None) -> tuple[TextTable, ...]:
    """Mean Dice in a few numbers, by corruption and severity, and how similar the corrupted volumes are.

    Args:
        folder: of the evaluation.
        title: of the first table.
        baseline: records of another system, which errors are told as a share of.
    """
    values = values_in(folder)
    by_corruption = _by_corruption(values.of_whole_cases)
    seen = _similarities(folder, values)
    notes = (*notes_on(folder), *corruption_notes(folder.identity))
    return (
        _summary(values, title, baseline),
        by_corruption,
        TextTable(seen.title, seen.headings, seen.rows, notes),
    )


def _summary(values: CorruptionValues, title: str, baseline: RecordFolder | None) -> TextTable:
    summary = summarise_corruptions(values)
    rows = [_row("clean", summary.clean)]
    rows += [_row(f"severity {severity:g}", level) for severity, level in summary.levels.items()]
    rows += [_row("weighted (2/3)^severity", summary.weighted), _row("worst of each case", summary.worst)]
    notes = [f"Means over {summary.num_corruptions} corruptions, of the cases that have a value under each of them."]
    if not summary.has_all_severities:
        notes.append(
            f"Each severity over the {summary.num_at_all} of these corruptions that have all severities; the other "
            "means over all of them."
        )
    if summary.worst_condition is not None:
        name, severity, lowest = summary.worst_condition
        notes.append(f"Worst: {name} at severity {severity:g}, mean Dice {lowest:.3f}.")
    if baseline is not None:
        name = baseline.identity.system.name
        ratio = relative_error(values, values_in(baseline))
        notes.append(
            f"No error relative to {name}: it has no case of these under the same corruption by the same parameter and "
            "draws, or makes no error under one of them."
            if ratio is None
            else f"Error relative to {name}: {ratio:.3f} (1 less Dice, mean over corruptions; below 1 is better)."
        )
    return TextTable(title, ["under", "cases", "mean Dice [95%]"], rows, notes)


def _row(name: str, value: MeanOverCases) -> list[str]:
    return [name, str(value.num_cases), with_interval(value.mean, value.interval)]


def _by_corruption(values: CorruptionValues) -> TextTable:
    severities = _severities(values)
    rows = []
    for name in values.names:
        means = [mean(by_case.values()) if (by_case := values.under.get((name, s))) else None for s in severities]
        weighted = mean(values.weighted(name, case) for case in values.clean)
        rows.append([name, *(number(value) for value in means), number(weighted)])
    headings = ["corruption", *(f"severity {severity:g}" for severity in severities), "weighted"]
    return TextTable("Mean Dice by corruption", headings, rows)


def _similarities(folder: RecordFolder, values: CorruptionValues) -> TextTable:
    severities = _severities(values)
    rows = []
    for name in values.names:
        cells = []
        for severity in severities:
            shown = [record.visibility for record in folder.under(name, severity).values()]
            ssim, psnr = (mean(one[key] for one in shown if key in one) for key in ("SSIM", "PSNR"))
            cells.append(NOTHING if not shown else f"{number(ssim)} / {number(psnr, 1)}")
        rows.append([name, *cells])
    headings = ["corruption", *(f"severity {severity:g}" for severity in severities)]
    return TextTable("SSIM / PSNR [dB] of the corrupted volumes", headings, rows)


def _severities(values: CorruptionValues) -> Sequence[float]:
    return sorted({severity for _, severity in values.under})


def corruption_notes(identity: EvaluationIdentity) -> tuple[str, ...]:
    """Which corruptions do not apply to the images and why, and how the parameters were fitted, where they were."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in not_applicable(identity).items():
        by_reason.setdefault(reason, []).append(name)
    notes = [f"Not applicable: {', '.join(names)} ({reason})." for reason, names in by_reason.items()]
    fitted = {} if identity.condition is None else identity.condition.config.get("calibration", {})
    if fitted:
        targets = ", ".join(f"{severity}: {target:g}" for severity, target in enumerate(fitted["SSIM"], 1))
        notes.append(f"Parameters were fitted to a mean SSIM by severity ({targets}) on {', '.join(fitted['cases'])}.")
        partly = [name for name, found in fitted["reached"].items() if len(found) < len(fitted["SSIM"])]
        notes += [f"Too weak, or in too coarse steps, for a part of these: {', '.join(partly)}."] if partly else []
    return tuple(notes)
