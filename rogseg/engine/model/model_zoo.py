"""The model zoo: trained networks by name, each with its config, its file and the file's checksum.

``model_zoo/index.json`` beside ``configs/`` lists those that come with rogseg, another in the user's cache those that
``rogseg download zoo`` has brought; ``model_zoo.md`` says how each was trained and what it reaches.
"""

import dataclasses
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

from rogseg.engine.config.keys import nearest
from rogseg.engine.digests import digest_of_file
from rogseg.foreign import checked_name, decode, parse_json
from rogseg.shipped_configs import shipped_folder
from rogseg.storage import write_json_atomic

__all__ = [
    "DELETE_INDEX",
    "INDEX",
    "ZOO_DIRECTORY",
    "ZooEntry",
    "ZooModel",
    "downloaded_zoo",
    "read_index",
    "write_index",
    "zoo_checkpoint",
    "zoo_model",
    "zoo_models",
]

INDEX = "index.json"
DELETE_INDEX = (
    f"delete this {INDEX}, and run rogseg download zoo NAME for each of your networks; weights that are whole are not "
    "fetched again"
)
ZOO_DIRECTORY = shipped_folder("model_zoo")


@dataclasses.dataclass(frozen=True)
class ZooModel:
    """An entry of the zoo.

    Args:
        name: what it is asked for by.
        config: of its training.
        checkpoint: its weights.
        sha256: of the weights' file.
    """

    name: str
    config: Path
    checkpoint: Path
    sha256: str

    def verified(self) -> "ZooModel":
        """The entry, once its file is known to be whole.

        Raises:
            ValueError: the file is absent or its content is not what the index promises.
        """
        if not self.checkpoint.is_file():
            raise ValueError(f"{self.checkpoint}: the weights of {self.name} are not here; get them again")
        if digest_of_file(self.checkpoint) != self.sha256:
            raise ValueError(f"{self.checkpoint}: its checksum is not that of the index; get the file again")
        return self


@dataclasses.dataclass(frozen=True)
class ZooEntry:
    """What an index says of a network: the path of its config, the name of its file and the file's SHA-256."""

    config: str
    file: str
    sha256: str


def downloaded_zoo() -> Path:
    """The folder of downloaded networks, in the user's cache folder: ``XDG_CACHE_HOME``, by default ``~/.cache``.

    Raises:
        ValueError: the user has neither.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if cache.startswith("~"):  # no HOME, and nobody knows the user, as in some containers
        raise ValueError("downloaded networks have no place: set HOME, or XDG_CACHE_HOME to a folder of your own")
    return Path(cache) / "rogseg" / "model_zoo"


def read_index(directory: Path, remedy: str) -> dict[str, ZooEntry]:
    """The entries of a folder's index by name; none where it has no index.

    Raises:
        ValueError: it is no index, a name is none, or a file would leave the folder.
    """
    index = directory / INDEX
    return parse_index(index.read_bytes(), index, remedy) if index.is_file() else {}


def parse_index(content: bytes, where: str | Path, remedy: str) -> dict[str, ZooEntry]:
    """The entries of an index by name, from the bytes of its file.

    Raises:
        ValueError: as `read_index`; the message begins with ``where`` and ends with ``remedy``.
    """
    found = parse_json(content, where, remedy)
    try:
        entries = decode(found, dict[str, ZooEntry], str(where))
        for name, entry in entries.items():
            checked_name(name, where)
            checked_name(entry.file, f"{where}: {name}")
    except ValueError as error:
        raise ValueError(f"{error}; {remedy}") from error
    return entries


def write_index(directory: Path, entries: Mapping[str, ZooEntry]) -> None:
    """Write a folder's index in one step; the caller holds the lock of the folder."""
    write_json_atomic(directory / INDEX, {name: vars(entry) for name, entry in sorted(entries.items())})


def zoo_models(directory: Path | None = None) -> dict[str, ZooModel]:
    """All entries by name.

    Args:
        directory: of a zoo beside the configs it names; None is the one that comes with rogseg and, below it, what was
            downloaded. Where the index of the latter is damaged, a warning says so, and its networks are left out.

    Raises:
        ValueError: an index is none, or an entry leaves its folder.
    """
    if directory is not None:
        return _models(directory, directory.resolve().parent, "get it again")
    shipped_root = ZOO_DIRECTORY.resolve().parent
    return {**_downloaded(shipped_root), **_models(ZOO_DIRECTORY, shipped_root, "install rogseg again")}


def zoo_model(name: str, directory: Path | None = None) -> ZooModel:
    """One entry, verified; the folder is that of `zoo_models`.

    Raises:
        ValueError: there is no such model, or its file is damaged.
    """
    models = zoo_models(directory)
    if name not in models:
        raise ValueError(f"the model zoo has no {name!r}: {nearest(name, models)}")
    return models[name].verified()


def zoo_checkpoint(name: str, directory: Path | None = None) -> Path | None:
    """The verified weights of an entry, or None where the zoo has none of that name.

    Raises:
        ValueError: the file is damaged.
    """
    entry = zoo_models(directory).get(name)
    return None if entry is None else entry.verified().checkpoint


def _downloaded(root: Path) -> dict[str, ZooModel]:
    """What was downloaded; nothing where its index is damaged, on which what comes with rogseg does not depend."""
    try:
        directory = downloaded_zoo()
    except ValueError:  # nothing can have been downloaded
        return {}
    try:
        return _models(directory, root, DELETE_INDEX)
    except ValueError as error:
        warnings.warn(f"no downloaded network is known: {error}", stacklevel=3)
        return {}


def _models(directory: Path, root: Path, remedy: str) -> dict[str, ZooModel]:
    """The entries of one folder, whose configs lie below a root."""
    models = {}
    for name, entry in read_index(directory, remedy).items():
        config = (root / entry.config).resolve()
        if not config.is_relative_to(root):
            index = directory / INDEX
            raise ValueError(f"{index}: {name}: its config {entry.config!r} does not lie below {root}; {remedy}")
        models[name] = ZooModel(name, config, directory / entry.file, entry.sha256)
    return models
