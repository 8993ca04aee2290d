"""What a step of a study reads: the files and folders that its command names, and those that their configs name."""

import ast
import fnmatch
import functools
import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rogseg.command_line import nearest
from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.model_zoo import zoo_model, zoo_models

__all__ = ["changed_inputs", "chosen_steps", "inputs_of", "made_by", "steps_before"]

MADE = ("--out", "--work-dir")
"""What stands behind them is there once a command is done."""
CONFIGS = (".py", ".json")
MOST_BYTES = 2**20  # of a config that is searched for further files


def inputs_of(command: Sequence[str], out: Path) -> dict[str, str]:
    """What a command is about to read.

    Args:
        command: the arguments of ``rogseg``.
        out: folder of the study, of whose own notes nothing is read.

    Returns:
        Path -> SHA-256 of the content of the file, or of all files in the folder.
    """
    made = made_by(command)
    files: dict[Path, None] = {}
    for argument in command:
        for path in _named(argument):
            if path.absolute() not in made:
                files.update(dict.fromkeys([path, *(_named_by_config(path) if path.is_file() else ())]))
    return {str(path): _digest(path, out) for path in files}


def made_by(command: Sequence[str]) -> set[Path]:
    """The absolute folders that a command says it makes, which are there once it is done."""
    return {Path(value).absolute() for flag, value in itertools.pairwise(command) if flag in MADE}


def steps_before(steps: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Those of the steps above each one that make what its command names, or do not say what they make.

    What is named may lie in what was made, as a checkpoint does in its training, or hold it, as a folder of networks.

    Args:
        steps: name -> arguments of ``rogseg``, in order.
    """
    needs: dict[str, set[str]] = {}
    makers: dict[str, set[Path]] = {}
    for name, command in steps.items():
        words = {word for argument in command[1:] for word in (argument, argument.rpartition("=")[2])}
        places, own = {Path(word).absolute() for word in words if word}, made_by(command)
        inside = {folder for place in places for folder in (place, *place.parents)}
        needs[name] = {
            maker
            for maker, made in makers.items()
            # Where a step puts its own output holds that of others without its reading it.
            if not made or made & inside or any(not (places - own).isdisjoint(folder.parents) for folder in made)
        }
        makers[name] = own
    return needs


def chosen_steps(steps: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, Sequence[str]]:
    """Those of the steps that are asked for and all that they need, in their order.

    Args:
        steps: name -> arguments of ``rogseg``, in order.
        names: of steps; ``*``, ``?`` and ``[...]`` stand for what they do in a shell.

    Raises:
        ValueError: a name is that of no step.
    """
    needs, chosen = steps_before(steps), set[str]()
    for name in names:
        found = fnmatch.filter(steps, name)
        if not found:
            raise ValueError(f"--steps {name}: the study has no such step; {nearest(name, steps)}")
        chosen.update(found)
    for name in reversed(list(steps)):
        if name in chosen:
            chosen |= needs[name]
    return {name: command for name, command in steps.items() if name in chosen}


def changed_inputs(known: dict[str, str], out: Path) -> tuple[str, ...]:
    """Which of the files and folders that a step has read are not what they were."""
    return tuple(
        path for path, digest in known.items() if not Path(path).exists() or _digest(Path(path), out) != digest
    )


def _named(argument: str) -> Iterator[Path]:
    """The files and folders that an argument may mean: ``x``, ``--flag=x``, ``key=x``, or a network of the zoo."""
    if argument in zoo_models():
        yield zoo_model(argument).checkpoint
        return
    for word in dict.fromkeys((argument, argument.rpartition("=")[2])):
        if _is_there(word):
            yield Path(word)
            return


def _named_by_config(config: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """The files that the texts in a config name, such as weights, from here or from its folder."""
    if config.suffix not in CONFIGS or config.resolve() in above or config.stat().st_size > MOST_BYTES:
        return
    try:
        nodes = list(ast.walk(ast.parse(config.read_text("utf-8-sig"))))
    except (SyntaxError, ValueError, RecursionError):  # whoever reads it as a config tells
        return
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for path in (Path(node.value), config.parent / node.value):
                if _is_there(str(path)) and path.is_file():
                    yield path
                    yield from _named_by_config(path, above | {config.resolve()})
                    break


def _is_there(word: str) -> bool:
    try:
        return bool(word) and os.path.exists(word)
    except ValueError:  # NUL in it
        return False


def _digest(path: Path, out: Path) -> str:
    """Over names and contents; hidden files, such as locks, are nobody's data."""
    total = hashlib.sha256()
    for name, file in sorted(_files(path, out)):
        status = file.stat()
        total.update(f"{name}\0{_digest_of_file(str(file), (status.st_size, status.st_mtime_ns))}\0".encode())
    return total.hexdigest()


def _files(path: Path, out: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield "", path
        return
    notes, seen = {out.absolute() / "steps", out.absolute() / "reports"}, set()
    for folder, inner, names in os.walk(path, followlinks=True):
        place = Path(folder)
        inner[:] = [name for name in inner if name[0] != "." and (place / name).absolute() not in notes]
        if place.resolve() in seen:  # a link that leads back
            inner.clear()
            continue
        seen.add(place.resolve())
        files = (place / name for name in names if name[0] != ".")
        yield from ((str(file.relative_to(path)), file) for file in files if file.is_file())


@functools.cache
def _digest_of_file(path: str, _state: tuple[int, int]) -> str:
    """Once per process, as long as size and time are the same: the steps of a study read the same data."""
    return digest_of_file(path)
