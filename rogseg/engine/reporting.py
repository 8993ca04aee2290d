"""What an evaluation leaves behind: tables, findings of the sanity checks, figures, and the page of several folders."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rogseg.cases import worded_cases
from rogseg.command_line import named_place
from rogseg.engine.console import make_console
from rogseg.engine.record_checks import check_records
from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table
from rogseg.evaluation.corruption_summary import values_in
from rogseg.evaluation.cross_validation import cross_validation_summary, cross_validation_table
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.evaluation.robustness_figures import plot_dice_over_strength
from rogseg.evaluation.shards import are_shards, merge_records
from rogseg.findings import (
    LEVELS,
    NOT_LOOKED_AT,
    SANITY_FILE,
    SanityFinding,
    is_of_records,
    load_findings,
    not_examined,
    save_findings,
)
from rogseg.preprocessing import note_lines
from rogseg.report import refuse_folder_of_others, write_report
from rogseg.report.figures.corruption_map import plot_corruption_map
from rogseg.report.volumes import VOLUMES
from rogseg.storage import write_bytes_atomic, write_json_atomic, write_text_atomic

__all__ = ["conclude", "conclude_accuracy", "conclude_folds", "merge_shards", "report_on", "tell_left_out"]

MARKS = {"ok": ("passed ", "green"), "warning": ("LOOK ", "bold yellow"), "failed": ("FAILED ", "bold red")}


def conclude(
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
    _tell_notes(records, console)
    if records.identity.kind == "test":  # nothing to check, no curve to draw
        return
    pages = [f"{table.title}\n\n{table.to_markdown()}" for table in tables]
    write_text_atomic(records.directory / "table.md", "\n".join(pages))
    if records.identity.kind == "certificate":  # proved, so there is nothing to check; the page draws it
        console.print(f"records and table: {records.directory}", markup=False)
        return
    if records.identity.kind == "corruption":  # no adversary, whose strength would have to be checked
        values = values_in(records)
        if values.under:
            plot_corruption_map({records.identity.system.name: values}, records.directory / "corruptions")
        console.print(f"records, table and figure: {records.directory}", markup=False)
        return
    findings = _with_earlier([*model_findings, *check_records(records)], records)
    for finding in findings:
        mark = Text(*MARKS[finding.level])
        mark.append(f"{finding.name}: {finding.seen}" + ("" if finding.passed else f"; {finding.meaning}"), "default")
        console.print(mark)
    if (left := not_examined({finding.name for finding in findings})) and records.identity.kind == "attack":
        console.print(f"not examined: {'; '.join(left)} (--sanity full does)", markup=False, highlight=False)
    save_findings(findings, records.directory / SANITY_FILE, records.key)
    plot_dice_over_strength(records, records.directory / "dice_over_epsilon.png")
    console.print(f"records, table, sanity checks and figure: {records.directory}", markup=False)


def _with_earlier(made: Sequence[SanityFinding], records: RecordFolder) -> list[SanityFinding]:
    """Findings that were made now, after those on file of checks that were not: they hold for the records as before.

    That the network was not looked at is forgotten once it was.
    """
    names = {finding.name for finding in made}
    was_looked_at = any(not is_of_records(name) for name in names)
    on_file = load_findings(records.directory / SANITY_FILE, records.key)
    earlier = [finding for finding in on_file if finding.name not in names]
    return [*(one for one in earlier if not (was_looked_at and one.name == NOT_LOOKED_AT)), *made]


def merge_shards(directories: Sequence[Path], out: Path) -> None:
    """Gather the records of shards, and the volumes that they kept for the viewer, in a new folder and report on them.

    One folder alone is reported on where it is.

    Raises:
        ValueError: the shards are not of one evaluation.
    """
    if len(directories) == 1 and out == directories[0]:
        records = RecordFolder(out)
    else:
        records = merge_records(directories, out)
        for path in (path for directory in directories for path in sorted((directory / VOLUMES).glob("*.npz"))):
            if not (kept := out / VOLUMES / path.name).exists():  # it was made of the same record
                write_bytes_atomic(kept, path.read_bytes())
    if records.identity.kind != "attack":
        conclude(records)
        return
    # What the model was asked while it was attacked; what the records can tell is asked of them together.
    of_records, key = {finding.name for finding in check_records(records)}, records.key
    of_model = {
        finding.name: finding
        # The worst of each check comes last and stays.
        for finding in sorted(
            (finding for directory in directories for finding in load_findings(directory / SANITY_FILE, key)),
            key=lambda finding: LEVELS.index(finding.level),
        )
    }
    conclude(records, [finding for name, finding in of_model.items() if name not in of_records])


def conclude_accuracy(records: RecordFolder, console: Console) -> None:
    """Write ``metrics.csv`` and ``summary.json`` and print the table, where any case has a label."""
    directory = records.directory
    if any(record.measures for record in records.clean().values()):
        write_bytes_atomic(directory / "metrics.csv", accuracy_csv(records).encode())
        write_json_atomic(directory / "summary.json", accuracy_summary(records))
        accuracy_table(records, f"{records.identity.task}, measured in the raw grid").print_to(console)
    else:
        console.print("no case has a label: predictions only")
    _tell_notes(records, console)
    console.print(f"predictions and records: {directory}", markup=False)


def _tell_notes(records: RecordFolder, console: Console) -> None:
    notes = ((case_id, record.notes) for case_id, record in records.clean().items())
    for line in note_lines(notes, f"in {records.directory}/records.jsonl"):
        console.print(line, markup=False)


def tell_left_out(case_ids: Sequence[str], console: Console) -> None:
    """Say that a set which is called all is without some labelled cases, where it is."""
    if case_ids:
        console.print(
            f"note: --cases all is without {worded_cases(len(case_ids))} that trainings of the fold use, such as "
            f"{case_ids[0]}; name cases by their ids to take them, too",
            markup=False,
            soft_wrap=True,
        )


def conclude_folds(folds: Sequence[RecordFolder], out: Path, console: Console) -> None:
    """Write ``summary.json`` and ``table.md`` of a cross-validation and print its table."""
    table = cross_validation_table(folds)
    write_json_atomic(out / "summary.json", cross_validation_summary(folds))
    write_bytes_atomic(out / "table.md", f"{table.title}\n\n{table.to_markdown()}".encode())
    table.print_to(console)
    console.print(f"summary of the folds: {out}", markup=False)


def report_on(records: Sequence[str], out: Path | None, *, common_cases: bool = False, evidence: bool = False) -> None:
    """Write ``report.html``, figures and tables.

    Args:
        records: folders, or ``NAME=folder`` to say what a system is called.
        out: folder of the report; None is that of the records, where there is one.
        common_cases: whether to keep those cases alone that all evaluations have done.
        evidence: whether everything behind the page is packed beside it.

    Raises:
        ValueError: a folder holds no records, or they do not belong into one report.
    """
    named = [(name, Path(place)) for name, place in map(named_place, records)]
    folders = [RecordFolder(path) for _, path in named]
    if not any(folder.records for folder in folders):
        raise ValueError(f"{folders[0].directory}: holds no record yet; run its command again, which goes on")
    if out is None and len(folders) > 1:
        raise ValueError("give --out for the report on several folders")
    paths = [path for _, path in named]
    target = out or paths[0]
    refuse_folder_of_others(target)  # before records or tables are written there
    called = {name: None for name, _ in named if name}
    # Who gives two names asks for two networks.
    are_parts = len(folders) > 1 and len(called) <= 1 and are_shards(folders)
    if len(folders) == 1 and target != paths[0] and not os.access(paths[0], os.W_OK):
        print(f"note: {paths[0]} cannot be written to: its table and checks stay as they are there")
    elif are_parts or len(folders) == 1:
        merge_shards(paths, target if are_parts else paths[0])
    if are_parts:
        named = [("".join(called), target)]
    by_name: dict[str, list[Path]] = {}
    for name, path in named:
        by_name.setdefault(name, []).append(path)
    # Under the empty name are the folders whose systems are called by their own.
    written = write_report(by_name, target, common_cases=common_cases, evidence=evidence)
    print(f"report: {written.page}")
