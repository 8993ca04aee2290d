"""The page of a study: its sections, each with tables and figures that a report made of the records."""

import platform
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.engine.study.plan import Section, Study
from rogseg.report import write_report
from rogseg.storage import write_bytes_atomic

__all__ = ["write_study_page"]


def write_study_page(
    study: Study, commands: Mapping[str, Sequence[str]], seconds: Mapping[str, float], out: Path, made_by: str
) -> Path:
    """Write ``study.md``, and one report per section that has records.

    Args:
        study: its sections.
        commands: the arguments of each step.
        seconds: of each step.
        out: folder of the study.
        made_by: the command that makes the page again.

    Raises:
        ValueError: the records of a section do not belong into one report, or one of its files is not there.
    """
    lines = [f"# {study.title}", "", f"Written by `{made_by}`; every number comes from records.", ""]
    for number, section in enumerate(study.sections, start=1):
        lines += [f"## {section.title}", "", section.text.strip(), ""]
        if section.records:
            lines += _reported(section, commands, out, f"reports/{number}")
        for name in section.files:
            lines += _shown(out, name)
    lines += [
        "## What ran, and how long",
        "",
        f"One process, {platform.machine()}, Python {platform.python_version()}.",
    ]
    lines += ["", "| step | minutes | command |", "|---|---:|---|"]
    for name, command in commands.items():
        lines.append(f"| {name} | {seconds[name] / 60:.1f} | `rogseg {shlex.join(command)}` |")
    page = out / "study.md"
    write_bytes_atomic(page, "\n".join([*lines, ""]).encode())
    return page


def _reported(section: Section, commands: Mapping[str, Sequence[str]], out: Path, place: str) -> list[str]:
    folders: dict[str, list[Path]] = {}
    for entry in section.records:
        system, _, step = entry.rpartition("=")
        command = commands[step]
        folders.setdefault(system, []).append(Path(command[command.index("--out") + 1]))
    write_report(folders, out / place)
    lines = []
    for kind, suffix, names in (("tables", ".md", section.tables), ("figures", ".png", section.figures)):
        for name in names:
            folder = out / place / kind
            if (folder / f"{name}{suffix}").is_file():
                lines += _shown(out, f"{place}/{kind}/{name}{suffix}")
            else:
                known = ", ".join(sorted(found.stem for found in folder.glob(f"*{suffix}")))
                lines += [f"*The records give no {kind} `{name}`; there are: {known}.*", ""]
    return lines


def _shown(out: Path, name: str) -> list[str]:
    """A table as it stands, or the place of an image."""
    path = out / name
    if not path.is_file():
        raise ValueError(f"{path}: no step of the study wrote it; correct the section's files")
    if path.suffix == ".md":
        return [path.read_text().strip(), ""]
    return [f"![{path.stem.replace('_', ' ')}]({name})", ""]
