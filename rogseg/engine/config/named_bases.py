"""Bases by name: ``_base_ = "rog_standard_short"`` in a config of one's own, wherever it and rogseg lie."""

import ast
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from rogseg.shipped_configs import shipped_configs

__all__ = ["bases_by_path", "python_bases"]


@contextmanager
def bases_by_path(path: Path) -> Iterator[Path]:
    """A Python config as MMEngine can read it: the file itself, or a copy whose bases are all paths.

    Args:
        path: of a config, one of whose bases may be the name of a config that comes with rogseg.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield _by_path(path, Path(folder), ())


def python_bases(path: Path) -> list[str]:
    """What ``_base_`` of a Python config names, read by MMEngine's own steps, so that both see the same files."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        _substitute(path, copy)
        Config._pre_substitute_base_vars(str(copy), str(copy))
        names: list[str] = Config._get_base_files(str(copy))
    return names


def _by_path(path: Path, folder: Path, above: tuple[Path, ...]) -> Path:
    places: dict[str, Path] = {}
    for name in python_bases(path):
        file = (path.parent / name).resolve()
        if not file.is_file():
            file = shipped_configs().get(name, file)
        elif file.suffix == ".py" and file not in above:
            file = _by_path(file, folder, (*above, file))
        places[name] = file
    if all(file == (path.parent / name).resolve() for name, file in places.items()):
        return path
    copy = folder / f"{len(list(folder.iterdir()))}_{path.name}"
    _substitute(path, copy)
    copy.write_text(_with_bases(copy.read_text("utf-8"), places), "utf-8")
    return copy


def _substitute(path: Path, copy: Path) -> None:
    Config._substitute_predefined_vars(str(path), str(copy))
    Config._substitute_env_variables(str(copy), str(copy))


def _with_bases(text: str, places: dict[str, Path]) -> str:
    """The text of a config with other strings in the assignment of ``_base_``, which stands on lines of its own."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if re.match(r"_base_\s*=", line))
    last = first + 1
    while True:
        try:
            (assignment,) = ast.parse("\n".join(lines[first:last])).body
            break
        except SyntaxError:
            last += 1
    assert isinstance(assignment, ast.Assign)
    value = ast.literal_eval(assignment.value)
    names = [value] if isinstance(value, str) else value
    return "\n".join([*lines[:first], f"_base_ = {[str(places[name]) for name in names]!r}", *lines[last:]]) + "\n"
