"""From folders of records to a report: shards of one evaluation are merged, evaluations stand side by side."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.attacking.reporting import merge_shards
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report import write_report

__all__ = ["report_on"]


def report_on(records: Sequence[str], out: Path | None, *, evidence: bool = False) -> None:
    """Write ``report.html``, figures and tables.

    Args:
        records: folders, or ``NAME=folder`` to say what a system is called.
        out: folder of the report; None is that of the records, where there is one.
        evidence: whether everything behind the page is packed beside it.

    Raises:
        ValueError: a folder holds no records, or they do not belong into one report.
    """
    named = [_named(entry) for entry in records]
    folders = [RecordFolder(path) for _, path in named]
    if out is None and len(folders) > 1:
        raise ValueError("give --out for the report on several folders")
    paths = [path for _, path in named]
    target = out or paths[0]
    are_shards = len(folders) > 1 and all(folder.identity == folders[0].identity for folder in folders)
    if are_shards or len(folders) == 1:
        merge_shards(paths, target if are_shards else paths[0])
    if are_shards:
        named = [(named[0][0], target)]
    by_name: dict[str, list[Path]] = {}
    for name, path in named:
        by_name.setdefault(name, []).append(path)
    # Under the empty name are the folders whose systems are called by their own.
    written = write_report(by_name, target, evidence=evidence)
    print(f"report: {written.page}")


def _named(entry: str) -> tuple[str, Path]:
    name, separator, path = entry.rpartition("=")
    return (name, Path(path)) if separator and not Path(entry).exists() else ("", Path(entry))
