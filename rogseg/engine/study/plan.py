"""A study as its config says it: words, steps that are commands of rogseg, and the sections of its page."""

import argparse
import dataclasses
import shlex
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.command_line import nearest
from rogseg.engine.config.read import read_config
from rogseg.engine.study.step_order import options_of
from rogseg.foreign import checked_name, decode

__all__ = ["Section", "Study", "read_study"]

FOLDERS = ("data", "out")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        title: its heading.
        text: what stands below it, Markdown; no measured number.
        records: ``NAME=STEP``, the steps whose records it reports on and what their systems are called.
        tables: of the report, by the names of its files; none where it is not reported on.
        figures: the same.
        common_cases: whether its report keeps those cases alone that all of its evaluations have done.
        files: what steps wrote besides records, below the study's folder: Markdown is taken over, images are shown.
    """

    title: str
    text: str
    records: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    common_cases: bool = False


@dataclasses.dataclass(frozen=True)
class Study:
    """What a config of a study says.

    Args:
        title: of the page.
        words: what stands in the commands for ``{word}``; a word may be several arguments, or none, and may have words
            of its own.
        steps: name -> arguments of ``rogseg``, in the order in which they run. ``{data}`` is the folder of the raw
            task, ``{out}`` that of the study.
        sections: of the page.
    """

    title: str
    words: dict[str, str]
    steps: dict[str, str]
    sections: tuple[Section, ...]

    def commands(self, data: Path, out: Path) -> dict[str, list[str]]:
        """The arguments of each step.

        Raises:
            ValueError: a command has a word that nothing gives.
        """
        given = {**self.words, "data": str(data), "out": str(out)}
        return {name: _filled(command, given, name) for name, command in self.steps.items()}


def read_study(path: Path, words: Sequence[str] = ()) -> Study:
    """Read the config of a study.

    Args:
        path: Python config with ``title``, ``words``, ``steps`` and ``sections``.
        words: ``WORD=VALUE``, in place of those of the config.

    Raises:
        ValueError: the file is none, or a word, a step or a section does not fit; the message names it.
    """
    config = read_config(path)
    content = {key: value for key, value in config.to_dict().items() if not key.startswith("_")}
    study = decode(content, Study, str(path))
    changed = dict(_word(entry, study.words, path) for entry in words)
    study = dataclasses.replace(study, words={**study.words, **changed})
    for name, command in study.steps.items():
        checked_name(name, f"{path}: steps")  # of the file that says that it is done
        if not command.split():
            raise ValueError(f"{path}: steps.{name} is empty; write the arguments of a rogseg command")
    for section in study.sections:
        for entry in section.records:
            system, _, step = entry.rpartition("=")
            if not system:
                raise ValueError(f"{path}: section {section.title!r}: {entry!r} is no NAME=STEP")
            if step not in study.steps:
                raise ValueError(f"{path}: section {section.title!r}: no step {step!r}: {nearest(step, study.steps)}")
    options = _options(study, path)
    for section in study.sections:
        for step in (entry.rpartition("=")[2] for entry in section.records):
            if getattr(options[step], "out", None) is None:
                raise ValueError(f"{path}: section {section.title!r}: the step {step!r} has no --out to report on")
    return study


def _options(study: Study, path: Path) -> dict[str, argparse.Namespace]:
    """What each command reads: a word that the last step does not know is told of before the first one runs."""
    options = {}
    for step, command in study.commands(Path("data"), Path("out")).items():
        try:
            options[step] = options_of(command)
        except ValueError as error:
            raise ValueError(f"{path}: steps.{step}: {error}") from error
    return options


def _word(entry: str, known: Mapping[str, str], path: Path) -> tuple[str, str]:
    word, separator, value = entry.partition("=")
    if not separator:
        raise ValueError(f"--set: {entry!r} is no WORD=VALUE")
    if word not in known:
        raise ValueError(f"--set: {path} has no word {word!r}: {nearest(word, known)}")
    return word, value


def _filled(command: str, words: Mapping[str, str], step: str, inside: tuple[str, ...] = ()) -> list[str]:
    """The arguments of a command; ``inside`` are the words that are being replaced."""
    filled = []
    try:
        parsed = [(argument, list(string.Formatter().parse(argument))) for argument in shlex.split(command)]
    except ValueError as error:
        raise ValueError(
            f"steps.{step}: {command!r} cannot be taken apart: {error}; mend its quotes or brackets"
        ) from error
    for argument, parts in parsed:
        if any(part[2] or part[3] for part in parts):
            raise ValueError(f"steps.{step}: {argument!r}: a word stands in {{}} alone, without ':' or '!'")
        names = [name for _, name, _, _ in parts if name is not None]
        for name in names:
            if name not in words:
                raise ValueError(f"steps.{step}: nothing says what {{{name}}} is: {nearest(name, words)}")
            if name in inside:
                raise ValueError(f"words.{name}: stands for itself: {' -> '.join((*inside, name))}")
        # A folder is taken as it stands; another word that stands alone may be several arguments, or none.
        if argument == f"{{{''.join(names)}}}" and names[0] not in FOLDERS:
            filled += _filled(words[names[0]], words, step, (*inside, names[0]))
        else:
            filled.append(argument.format_map(dict(words)))
    return filled
