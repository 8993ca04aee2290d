"""The page of a study: its sections, each with tables and figures that a report made of the records."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rogseg.engine.study.plan import Section, Study
from rogseg.engine.study.run_study import Done, is_begun, outdated_steps
from rogseg.engine.study.step_order import options_of
from rogseg.report import write_report
from rogseg.storage import write_bytes_atomic

__all__ = ["write_study_page"]


def write_study_page(
    study: Study, commands: Mapping[str, Sequence[str]], done: Mapping[str, Done], out: Path, made_by: str
) -> Path:
    """Write ``study.md``, and one report per section that has records.

    Args:
        study: its sections.
        commands: the arguments of each step.
        done: what is kept of each step that is; what needs another one says that it has not run yet, and what needs
            one whose inputs have changed since says which.
        out: folder of the study.
        made_by: the command that makes the page again.

    Raises:
        ValueError: the records of a section do not belong into one report, or one of its files is not there.
    """
    outdated = outdated_steps(commands, done, out)
    lines = [f"# {study.title}", "", f"Written by `{made_by}`; every number comes from records.", ""]
    for number, section in enumerate(study.sections, start=1):
        lines += [f"## {section.title}", "", section.text.strip(), ""]
        needed = _steps_of(section, commands, out)
        waiting = [name for name in needed if name not in done]
        begun = [entry for entry in section.records if _is_begun(section, entry, commands, out)]
        shown = [entry for entry in section.records if _step_of(entry) in done or entry in begun]
        unfinished = [name for name in waiting if name in map(_step_of, shown)]
        for what, names in (("finished", unfinished), ("run", [name for name in waiting if name not in unfinished])):
            if names:
                lines += [f"*Not {what} yet: {', '.join(names)}.*", ""]
        lines += _outdated(needed, outdated)
        if shown:
            lines += _reported(section, shown, commands, out, f"reports/{number}")
        for name in section.files:
            if not waiting or (out / name).is_file():
                lines += _shown(out, name)
    lines += ["## What ran, how long, and on what", "", *_outdated(commands, outdated)]
    lines += ["| step | minutes | machine | command |", "|---|---:|---|---|"]
    for name, command in commands.items():
        ran = f"{done[name].minutes} | {done[name].machine}" if name in done else "not yet | -"
        lines.append(f"| {name} | {ran} | `rogseg {shlex.join(command)}` |")
    page = out / "study.md"
    write_bytes_atomic(page, "\n".join([*lines, ""]).encode())
    return page


def _outdated(names: Iterable[str], outdated: Mapping[str, Sequence[str]]) -> list[str]:
    """What the reader is told of those of the steps whose inputs are others now."""
    by_inputs: dict[str, list[str]] = {}
    for name in (name for name in names if name in outdated):
        by_inputs.setdefault(", ".join(outdated[name]), []).append(name)
    return [
        line
        for inputs, steps in by_inputs.items()
        for line in (f"*Made of an earlier {inputs}: {', '.join(steps)}.*", "")
    ]


def _step_of(entry: str) -> str:
    return entry.rpartition("=")[2]


def _is_begun(section: Section, entry: str, commands: Mapping[str, Sequence[str]], out: Path) -> bool:
    """Whether an unfinished step has records that the section can show: of the cases that the others have, too.

    Where another command has finished the step, the records are of that one.
    """
    step = _step_of(entry)
    has_records = (_folder_of(commands[step]) / "records.jsonl").is_file()
    return section.common_cases and has_records and is_begun(step, out)


def _folder_of(command: Sequence[str]) -> Path:
    return Path(options_of(command).out)


def _steps_of(section: Section, commands: Mapping[str, Sequence[str]], out: Path) -> list[str]:
    """The steps whose records or files a section shows, in its order."""
    makers = {
        _folder_of(command): name for name, command in commands.items() if getattr(options_of(command), "out", None)
    }
    of_files = [makers[folder] for name in section.files for folder in (out / name).parents if folder in makers]
    return list(dict.fromkeys([*map(_step_of, section.records), *of_files]))


def _reported(
    section: Section, shown: Sequence[str], commands: Mapping[str, Sequence[str]], out: Path, place: str
) -> list[str]:
    folders: dict[str, list[Path]] = {}
    for entry in shown:
        folders.setdefault(entry.rpartition("=")[0], []).append(_folder_of(commands[_step_of(entry)]))
    write_report(folders, out / place, common_cases=section.common_cases, figures=bool(section.figures))
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
        return [path.read_text("utf-8").strip(), ""]
    return [f"![{path.stem.replace('_', ' ')}]({name})", ""]
