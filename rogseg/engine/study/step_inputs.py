"""What a step of a study read, by digests of its content, and whether that is still what it was."""

import functools
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rogseg.engine.digests import digest_of_file
from rogseg.engine.study.named_files import named_files, plan_beside
from rogseg.engine.study.step_order import made_by

__all__ = ["changed_inputs", "inputs_of", "other_inputs"]

NOTHING = hashlib.sha256().hexdigest()
"""Digest of what is not there, or of a folder without a file."""


def inputs_of(command: Sequence[str], out: Path) -> dict[str, str]:
    """What a command is about to read.

    Args:
        command: the arguments of ``rogseg``.
        out: folder of the study, of whose own notes nothing is read.

    Returns:
        Path -> SHA-256 of the content of the file, or of all files in the folder. Beside a checkpoint a plan may lie,
        or come to lie, that changes what is made of it.
    """
    files, made = named_files(command), made_by(command)
    return {str(path): _digest(path, out) for path in (*files, *plan_beside(files)) if path.absolute() not in made}


def changed_inputs(known: Mapping[str, str], out: Path) -> tuple[str, ...]:
    """Which of the files and folders that a step has read are not what they were, or are gone."""
    return tuple(path for path, digest in known.items() if _digest(Path(path), out) != digest)


def other_inputs(known: Mapping[str, str], out: Path) -> tuple[str, ...]:
    """As `changed_inputs`, without those that are gone: records may be kept without what they were made of."""
    return tuple(path for path in changed_inputs(known, out) if _digest(Path(path), out) != NOTHING)


def _digest(path: Path, out: Path) -> str:
    """Over names and contents; hidden files, such as locks, are nobody's data, and what Python compiles is none."""
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
        inner[:] = [name for name in inner if _is_data(name) and (place / name).absolute() not in notes]
        if place.resolve() in seen:  # a link that leads back
            inner.clear()
            continue
        seen.add(place.resolve())
        files = (place / name for name in names if _is_data(name))
        yield from ((str(file.relative_to(path)), file) for file in files if file.is_file())


def _is_data(name: str) -> bool:
    return name[0] != "." and name != "__pycache__"


@functools.cache
def _digest_of_file(path: str, _state: tuple[int, int]) -> str:
    """Once per process, as long as size and time are the same: the steps of a study read the same data."""
    return digest_of_file(path)
