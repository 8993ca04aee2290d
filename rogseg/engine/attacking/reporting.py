"""What an evaluation leaves behind: the tables, the findings of the sanity checks and the figure."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rogseg.attacks.sanity_checks import SanityFinding
from rogseg.engine.attacking.sanity import check_records, load_findings, save_findings
from rogseg.engine.console import make_console
from rogseg.evaluation.corruption_summary import values_in
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.evaluation.robustness_figures import plot_dice_over_strength
from rogseg.report.figures.corruption_map import plot_corruption_map

__all__ = ["merge_shards", "write_report"]

SANITY = "sanity.json"
MARKS = {"ok": ("passed ", "green"), "warning": ("LOOK ", "bold yellow"), "failed": ("FAILED ", "bold red")}


def write_report(
    records: RecordFolder,
    model_findings: Sequence[SanityFinding] = (),
    console: Console | None = None,
    baseline: RecordFolder | None = None,
) -> None:
    """Print the tables and the findings, and write ``table.md``, ``sanity.json`` and ``dice_over_epsilon.png``.

    Args:
        records: of the evaluation.
        model_findings: of the checks that asked the model; those that ask the records are made here.
        console: where to print.
        baseline: under corruptions, records of another system, which errors are told as a share of.
    """
    console = console or make_console()
    tables = evaluation_tables(records, baseline)
    for table in tables:
        table.print_to(console)
    if records.identity.condition is None:  # a test: nothing to check, no curve to draw
        return
    pages = [f"{table.title}\n\n{table.to_markdown()}" for table in tables]
    (records.directory / "table.md").write_text("\n".join(pages))
    if records.identity.condition.kind == "certificate":  # proved, so there is nothing to check; the page draws it
        console.print(f"records and table: {records.directory}", markup=False)
        return
    if records.identity.condition.kind == "corruption":  # no adversary, whose strength would have to be checked
        values = values_in(records)
        if values.under:
            plot_corruption_map({records.identity.system.name: values}, records.directory / "corruptions")
        console.print(f"records, table and figure: {records.directory}", markup=False)
        return
    findings = [*model_findings, *check_records(records)]
    for finding in findings:
        mark = Text(*MARKS[finding.level])
        mark.append(f"{finding.name}: {finding.seen}" + ("" if finding.passed else f"; {finding.meaning}"), "default")
        console.print(mark)
    save_findings(findings, records.directory / SANITY)
    plot_dice_over_strength(records, records.directory / "dice_over_epsilon.png")
    console.print(f"records, table, sanity checks and figure: {records.directory}", markup=False)


def merge_shards(directories: Sequence[Path], out: Path) -> None:
    """Gather the records of shards in a new folder and report on them; one folder alone is reported on where it is.

    Raises:
        ValueError: the shards are not of one evaluation.
    """
    if len(directories) == 1 and out == directories[0]:
        records = RecordFolder(out)
    else:
        records = RecordFolder.merge(directories, out)
    if records.identity.condition is None or records.identity.condition.kind != "attack":
        write_report(records)
        return
    # What the model was asked while it was attacked; what the records can tell is asked of them together.
    of_records = {finding.name for finding in check_records(records)}
    of_model = {
        finding.name: finding
        # Those that failed come last and stay.
        for finding in sorted(
            (finding for directory in directories for finding in load_findings(directory / SANITY)),
            key=lambda finding: not finding.passed,
        )
    }
    write_report(records, [finding for name, finding in of_model.items() if name not in of_records])
