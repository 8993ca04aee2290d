"""The evidence pack: a folder to hand on, with all that stands behind the numbers of a report."""

import csv
import dataclasses
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from rogseg.foreign import decode, read_json
from rogseg.report.checklist import checklist
from rogseg.report.contents import Contents
from rogseg.report.page import render_page
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.tables.table import write_table
from rogseg.storage import atomic_directory

__all__ = ["write_evidence"]

COPIED = ("header.json", "records.jsonl", "sanity.json")  # a table beside them is made of them, and so are ours
MANIFEST = "manifest.json"


def write_evidence(contents: Contents, folders: Sequence[Path], out: Path) -> Path:
    """Write the pack anew: page, records, headers, threat model, budgets, checks, limitations, check list, hashes.

    Args:
        contents: of the report.
        folders: of the records, in the order of its origins.
        out: folder of the pack; what an earlier one left is replaced, anything else is kept and refused.

    Returns:
        The folder.

    Raises:
        ValueError: ``out`` holds something that is no evidence pack.
    """
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise ValueError(f"{out}: holds files that are no evidence pack; give another --out, or move them")
    _refuse_strangers(out)
    with atomic_directory(out) as pack:
        _write_pack(contents, folders, pack)
    return out


def _write_pack(contents: Contents, folders: Sequence[Path], out: Path) -> None:
    origins = []
    for number, (origin, folder) in enumerate(zip(contents.origins, folders, strict=True), 1):
        name = f"{number:02d}_{folder.resolve().name}"
        target = out / "records" / name
        target.mkdir(parents=True)
        for file in COPIED:
            if (folder / file).is_file():
                shutil.copyfile(folder / file, target / file)
        # Inside the pack the page links to its own copy.
        origins.append(dataclasses.replace(origin, folder=f"records/{name}", href=f"records/{name}/records.jsonl"))
    packed = dataclasses.replace(contents, origins=tuple(origins))
    (out / "report.html").write_text(render_page(packed), encoding="utf-8")
    for table in report_tables(packed):
        write_table(table, out / "tables")
    (out / "checks.csv").write_text(_checks(packed), encoding="utf-8")
    for name, text in (
        ("threat_model.md", _threat_model(packed)),
        ("limitations.md", _limitations(packed)),
        ("checklist.md", _checklist(packed)),
        ("README.md", _readme(packed)),
    ):
        (out / name).write_text(text, encoding="utf-8")
    _write_manifest(out)


def _refuse_strangers(out: Path) -> None:
    """Keep what somebody has put into an earlier pack, which its manifest does not list."""
    path = out / MANIFEST
    if not path.is_file():
        return
    known = decode(read_json(path, "move it away"), dict[str, dict[str, str]], str(path)).get("sha256", {})
    files = [file.relative_to(out).as_posix() for file in out.rglob("*") if not file.is_dir()]
    strangers = sorted(set(files) - {*known, MANIFEST})
    if strangers:
        raise ValueError(f"{out}: holds {strangers[0]}, which is not of the pack that is replaced there; move it away")


def _threat_model(contents: Contents) -> str:
    parts = ["# Threat model and attack budgets\n"]
    for threat in contents.threats:
        parts.append(f"## {threat.norm}\n\n{threat.words}\n")
        if threat.outside:
            parts.append("Outside of it:\n\n" + "\n".join(f"- {text}" for text in threat.outside) + "\n")
    parts += [table.to_markdown() for table in report_tables(contents) if table.name == "epsilons"]
    attacks = [row for row in contents.rows if row.condition.kind in ("attack", "transfer")]
    lines = dict.fromkeys(f"- {row.condition.name}: {row.condition.budget or 'not recorded'}" for row in attacks)
    parts.append("\n## Attack budgets\n\n" + ("\n".join(lines) or "No attack is in these records.") + "\n")
    criterion = contents.criterion or "not one criterion for all records; see their headers"
    parts.append(f"A case counts as fallen: {criterion}.\n")
    return "\n".join(parts)


def _limitations(contents: Contents) -> str:
    parts = ["# Limitations\n"]
    for title, texts in (
        ("To keep in mind", contents.limits),
        ("Not tested", contents.untested),
        ("Of the records", contents.notes()),
    ):
        if texts:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {text}" for text in texts) + "\n")
    return "\n".join(parts)


def _checklist(contents: Contents) -> str:
    lines = [
        "# Evidence for points that regulators raise\n",
        "Each line names a point in our own words and where this folder holds evidence for it. It is no statement of",
        "conformity: whether the evidence is enough is for the manufacturer and the assessor to judge.\n",
        "| point of | asked for | evidence here | where |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {p.source} | {p.asked} | {'yes' if p.has_evidence else 'no'} | {p.where} |" for p in checklist(contents)
    ]
    return "\n".join(lines) + "\n"


def _checks(contents: Contents) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["network", "check", "level", "seen", "meaning if it did not pass"])
    writer.writerows([f.system, f.name, f.level, f.seen, f.meaning] for f in contents.findings)
    return text.getvalue()


def _readme(contents: Contents) -> str:
    synthetic = (
        "\nThe data are synthetic: nothing here is a statement about patients.\n" if contents.is_synthetic else ""
    )
    commands = [
        f"- {origin.folder}: " + (f"`{origin.command}`" if origin.command else "the records do not name their command")
        for origin in contents.origins
    ]
    return (
        f"# Evidence on the robustness of: {', '.join(system.name for system in contents.systems)}\n\n"
        f"Task: {contents.task}. Written: {contents.written}.\n{synthetic}\n"
        "- `report.html`: the page; opens without network\n"
        "- `records/`: what was measured, a line per case, with a header of all that it depends on\n"
        "- `tables/`: the numbers as CSV, Markdown and LaTeX\n"
        "- `threat_model.md`, `checks.csv`, `limitations.md`, `checklist.md`\n"
        f"- `{MANIFEST}`: SHA-256 of every file here\n\n"
        "Commands that make the records again:\n\n" + "\n".join(commands) + "\n"
    )


def _write_manifest(out: Path) -> None:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    digests = {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (out / MANIFEST).write_text(json.dumps({"sha256": digests}, indent=2) + "\n", encoding="utf-8")
