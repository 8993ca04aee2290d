"""The configs that come with rogseg, by name: ``rog_freeat_liver`` is as good as the path of that file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from rogseg.command_line import nearest

__all__ = ["Kind", "find_config", "shipped_configs", "shipped_folder", "shipped_plans"]

Kind = Literal["network", "attack", "study"]
# What a folder of configs/ describes, where it is not a network.
KIND_OF_FOLDER: dict[str, Kind] = {"attack": "attack", "study": "study"}


def shipped_folder(name: str) -> Path:
    """A folder such as ``configs``: inside of an installed package, beside the package in a clone."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def shipped_plans() -> Path:
    """The folder of the published plans, ``liver.json`` and so on."""
    return shipped_folder("configs") / "_base_" / "tasks"


def shipped_configs(kind: Kind | None = None) -> dict[str, Path]:
    """Name -> file; all, or those of networks or of attacks alone."""
    return {name: path for name, found, path in _each() if kind in (None, found)}


def find_config(config: str | Path, kind: Kind | None = None) -> Path:
    """The file of a config.

    Args:
        config: path of a file, or name of one that comes with rogseg.
        kind: what it is asked for; None takes any.

    Raises:
        ValueError: it is neither, or the name is that of another kind; the message has the nearest name.
    """
    path, name = Path(config), str(config)
    known = shipped_configs(kind)
    if path.is_file():
        return path
    if name in known:
        return known[name]
    if name in shipped_configs():
        raise ValueError(f"{config} is no {kind} config: take for instance {', '.join(list(known)[:3])}")
    raise ValueError(
        f"{config}: there is no such {f'{kind} config' if kind else 'config'}, neither a file nor a name that comes "
        f"with rogseg: {nearest(path.stem, known)}"
    )


def _each() -> Iterator[tuple[str, Kind, Path]]:
    root = shipped_folder("configs")
    for path in sorted(root.glob("*/*.py")):
        if not path.parent.name.startswith("_"):
            yield path.stem, KIND_OF_FOLDER.get(path.parent.name, "network"), path
