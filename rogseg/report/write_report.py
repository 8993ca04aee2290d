"""write_report: from record folders to the page, its figures, its tables and, if asked for, the evidence pack."""

import dataclasses
import datetime
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.foreign import open_regular
from rogseg.report.contents import Contents
from rogseg.report.evidence import write_evidence
from rogseg.report.figures.report_figures import write_figures
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.tables.table import write_table
from rogseg.storage import write_text_atomic

__all__ = ["ReportPaths", "refuse_folder_of_others", "write_contents", "write_report"]

PAGE, FIGURES, TABLES, EVIDENCE = "report.html", "figures", "tables", "evidence"
MARK, MOST_BYTES = b"Made from records by rogseg.", 1 << 28  # what every page ends with


@dataclasses.dataclass(frozen=True)
class ReportPaths:
    """What was written: the page, every figure, every table, and the folder of the evidence (None: not asked for)."""

    page: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]
    evidence: Path | None


def write_report(
    record_folders: Sequence[Path] | Mapping[str, Sequence[Path]],
    out: Path,
    *,
    common_cases: bool = False,
    evidence: bool = False,
    figures: bool = True,
    written: datetime.date | None = None,
) -> ReportPaths:
    """Report on record folders.

    Args:
        record_folders: of one or more evaluations of one task, of one or more networks; a mapping names the networks.
        out: folder of the report; ``report.html``, ``figures/`` and ``tables/`` in it are replaced.
        common_cases: whether to keep those cases alone that all evaluations have done.
        evidence: whether ``evidence/`` is written, too: all that stands behind the page, to be handed on.
        figures: whether ``figures/`` is written, which takes a second for each; the page draws its own.
        written: date on the page; None is today.

    Raises:
        ValueError: a folder holds no records, or two do not belong into one report; nothing is written then.
    """
    refuse_folder_of_others(out)
    contents = contents_of(record_folders, out, common_cases=common_cases, written=written)
    # A figure of what is no longer in the report would be taken for one that is.
    for name in (FIGURES, TABLES):
        _remove_folder(out / name)
    paths = write_contents(contents, out, figures=figures)
    if not evidence:
        return paths
    folders = [Path(origin.folder) for origin in contents.origins]
    return dataclasses.replace(paths, evidence=write_evidence(contents, folders, out / EVIDENCE))


def refuse_folder_of_others(out: Path) -> None:
    """Refuse to write over figures or tables of somebody's, or over a page that no report has written.

    Raises:
        ValueError: a folder for reports holds one of these, or is a file.
    """
    page, is_ours = out / PAGE, False
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; give another --out, a folder")
    if page.exists():
        with open_regular(page) as file:
            is_ours = MARK in file.read(MOST_BYTES)
    # Of one of our own the page and its folders are replaced, but no file that bears the name of a folder.
    taken = [PAGE] if page.exists() and not is_ours else []
    taken += [name for name in (FIGURES, TABLES) if (out / name).exists() and not (is_ours and (out / name).is_dir())]
    if taken:
        raise ValueError(
            f"{out}: holds {taken[0]}, which no report has written, and this one would; give another --out"
        )


def _remove_folder(folder: Path) -> None:
    if folder.is_symlink():  # what it leads to is not ours
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def write_contents(contents: Contents, out: Path, *, figures: bool = True) -> ReportPaths:
    """Write the page, the tables and, if asked for, the figures of any contents."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / PAGE
    write_text_atomic(page, render_page(contents))
    tables = tuple(path for table in report_tables(contents) for path in write_table(table, out / TABLES))
    return ReportPaths(page, write_figures(contents, out / FIGURES) if figures else (), tables, None)
