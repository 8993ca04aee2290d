"""Bring a network of someone's model zoo into the user's cache, from where it is known by its name."""

import http.client
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from rich.console import Console

from rogseg.command_line import nearest
from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.model_zoo import (
    DELETE_INDEX,
    INDEX,
    ZOO_DIRECTORY,
    ZooEntry,
    ZooModel,
    downloaded_zoo,
    parse_index,
    read_index,
    write_index,
    zoo_models,
)
from rogseg.foreign import read_regular
from rogseg.progress import ProgressDisplay
from rogseg.sources import fetch
from rogseg.storage import folder_lock, write_bytes_atomic

__all__ = ["ADDRESS_VARIABLE", "download_zoo_model"]

ADDRESS_VARIABLE = "ROGSEG_ZOO"
LARGEST_INDEX = 1 << 20  # bytes


def download_zoo_model(name: str, source: str | None = None) -> ZooModel:
    """Fetch, check and list a network; what is here and whole is not fetched again.

    Args:
        name: in the index of the source.
        source: a folder, or the http address of one, that holds ``index.json`` and the files it names; None takes the
            one in the environment's ``ROGSEG_ZOO``.

    Raises:
        ValueError: nothing says where from, the source has no such network, this rogseg does not have its config, or a
            file is not what the index promises.
        ConnectionError: the connection kept breaking; run again to go on.
    """
    source = source or os.environ.get(ADDRESS_VARIABLE)
    if not source:
        raise ValueError(f"nothing says where the model zoo lies: give --from, or set {ADDRESS_VARIABLE}")
    if name in read_index(ZOO_DIRECTORY, "install rogseg again"):
        raise ValueError(
            f"{name} comes with rogseg, and that network would be the one known by the name; take it as it is"
        )
    cache = downloaded_zoo()
    cache.mkdir(parents=True, exist_ok=True)
    with folder_lock(cache, f"downloading {name}"):
        entry = _entry(name, source)
        listed = read_index(cache, DELETE_INDEX)
        taken = [other for other, one in listed.items() if other != name and one.file == entry.file]
        if taken or entry.file == INDEX:
            raise ValueError(f"{cache / entry.file}: is the file of {', '.join(taken) or 'the index'}, not of {name}")
        path = cache / entry.file
        if not (path.is_file() and digest_of_file(path) == entry.sha256):
            _bring(f"{source.rstrip('/')}/{entry.file}", path, entry.sha256)
        write_index(cache, {**listed, name: entry})
    return zoo_models()[name]


def _entry(name: str, source: str) -> ZooEntry:
    where = f"{source.rstrip('/')}/{INDEX}"
    entries = parse_index(_index_bytes(where), where, "it is no model zoo, or not one of this version")
    if name not in entries:
        raise ValueError(f"{source}: its index has no {name!r}: {nearest(name, entries)}")
    entry = entries[name]
    if not re.fullmatch("[0-9a-f]{64}", entry.sha256):
        raise ValueError(
            f"{source}: {name}: its sha256 is {entry.sha256!r:.80}, which are not 64 small hexadecimal digits"
        )
    root = ZOO_DIRECTORY.resolve().parent
    config = (root / entry.config).resolve()
    if not (config.is_relative_to(root / "configs") and config.is_file()):
        raise ValueError(
            f"{source}: {name} belongs to {entry.config!r}, which is no config of this rogseg; install the version "
            "that has it"
        )
    return entry


def _index_bytes(where: str) -> bytes:
    if not _is_address(where):
        return read_regular(where, LARGEST_INDEX, "name the folder or the http address of a model zoo")
    try:
        with urllib.request.urlopen(where, timeout=60) as answer:
            content: bytes = answer.read(LARGEST_INDEX + 1)
    except urllib.error.HTTPError as error:
        raise ValueError(f"{where}: the server answers {error.code} {error.reason}; check the address") from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"{where}: {error}; run the same command again") from error
    if len(content) > LARGEST_INDEX:
        raise ValueError(f"{where}: has more than {LARGEST_INDEX} bytes, so it is no index")
    return content


def _bring(where: str, path: Path, sha256: str) -> None:
    if _is_address(where):
        with ProgressDisplay(path.stem, console=Console(stderr=True), count=_megabytes) as progress:
            fetch(where, path, sha256, on_bytes=lambda have, total: progress.update(have, total or have))
        return
    if not Path(where).is_file():
        raise ValueError(f"{where}: there is no such file, though the index names it")
    found = digest_of_file(where)
    if found != sha256:
        raise ValueError(f"{where}: its checksum is {found}, its index promises {sha256}; get the file again")
    write_bytes_atomic(path, Path(where).read_bytes())


def _is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _megabytes(have: int, total: int) -> str:
    return f"{have / 1e6:.1f} of {total / 1e6:.1f} MB"
