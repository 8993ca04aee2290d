"""What a test leaves beside its records: the table, the same as CSV and JSON, and the summary of a cross-validation."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table
from rogseg.evaluation.cross_validation import cross_validation_summary, cross_validation_table
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.storage import write_bytes_atomic, write_json_atomic

__all__ = ["conclude", "conclude_folds"]


def conclude(records: RecordFolder, console: Console) -> None:
    """Write ``metrics.csv`` and ``summary.json`` and print the table, where any case has a label."""
    directory = records.directory
    if any(record.measures for record in records.clean().values()):
        write_bytes_atomic(directory / "metrics.csv", accuracy_csv(records).encode())
        write_json_atomic(directory / "summary.json", accuracy_summary(records))
        accuracy_table(records, f"{records.identity.task}, measured in the raw grid").print_to(console)
    else:
        console.print("no case has a label: predictions only")
    console.print(f"predictions and records: {directory}", markup=False)


def conclude_folds(folds: Sequence[RecordFolder], out: Path, console: Console) -> None:
    """Write ``summary.json`` and ``table.md`` of a cross-validation and print its table."""
    table = cross_validation_table(folds)
    write_json_atomic(out / "summary.json", cross_validation_summary(folds))
    write_bytes_atomic(out / "table.md", f"{table.title}\n\n{table.to_markdown()}".encode())
    table.print_to(console)
    console.print(f"summary of the folds: {out}", markup=False)
