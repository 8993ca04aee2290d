"""What an evaluation leaves behind: the table, the findings of the sanity checks and the figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rogseg.attacks.sanity_checks import SanityFinding
from rogseg.engine.attacking.attack_sanity import check_records, load_findings, save_findings
from rogseg.evaluation.robustness_figures import plot_dice_over_epsilon
from rogseg.evaluation.robustness_report import RobustnessReport
from rogseg.evaluation.robustness_summary import summarise_all
from rogseg.evaluation.robustness_table import markdown_table, rich_table

__all__ = ["merge_shards", "write_report"]

SANITY = "sanity.json"


def write_report(
    report: RobustnessReport, model_findings: Sequence[SanityFinding] = (), console: Console | None = None
) -> None:
    """Print the table and the findings, and write ``table.md``, ``sanity.json`` and ``dice_over_epsilon.png``.

    Args:
        report: the records.
        model_findings: of the checks that asked the model; those that ask the records are made here.
        console: where to print.
    """
    console = console or Console()
    identity: dict[str, Any] = report.header["identity"]
    rows = summarise_all(report)
    title = (
        f"{identity['task']}, {identity['attack_name']}, protocol {identity['protocol']}, {identity['selection']}, "
        f"a case falls by {_in_words(identity['criterion'])}"
    )
    console.print(rich_table(rows, identity["classes"], title))
    findings = [*model_findings, *check_records(report)]
    for finding in findings:
        mark = "[green]passed[/]" if finding.passed else "[bold red]LOOK[/]"
        console.print(f"{mark} {finding.name}: {finding.seen}" + ("" if finding.passed else f"; {finding.meaning}"))
    (report.directory / "table.md").write_text(f"{title}\n\n{markdown_table(rows, identity['classes'])}")
    save_findings(findings, report.directory / SANITY)
    plot_dice_over_epsilon(rows[0], rows[1:], report.directory / "dice_over_epsilon.png")
    console.print(f"records, table, sanity checks and figure: {report.directory}")


def _in_words(criterion: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{key} {value}" for key, value in criterion.items() if key != "type")
    return f"{criterion['type']} ({arguments})"


def merge_shards(directories: Sequence[Path], out: Path) -> None:
    """Gather the records of shards in a new folder and report on them; one folder alone is reported on where it is.

    Raises:
        ValueError: the shards are not of one evaluation.
    """
    if len(directories) == 1 and out == directories[0]:
        report = RobustnessReport(out)
    else:
        report = RobustnessReport.merge(directories, out)
    # What the model was asked while it was attacked; what the records can tell is asked of them together.
    of_records = {finding.name for finding in check_records(report)}
    of_model = {
        finding.name: finding
        # Those that failed come last and stay.
        for finding in sorted(
            (finding for directory in directories for finding in load_findings(directory / SANITY)),
            key=lambda finding: not finding.passed,
        )
    }
    write_report(report, [finding for name, finding in of_model.items() if name not in of_records])
