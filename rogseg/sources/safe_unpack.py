"""Unpack a task archive without letting it write anywhere else."""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from rogseg.storage import atomic_directory

__all__ = ["unpack_task"]


def unpack_task(archive: Path, name: str, directory: Path) -> None:
    """Unpack the folder `name` of a tar file as `directory`, which appears whole or not at all.

    Only plain files and folders are taken, and only their bytes: no links, devices, owners or modes. The ``._``
    twins that macOS packs along are left out.

    Raises:
        ValueError: the archive is damaged, lacks ``dataset.json``, or holds a member that is a link or a device or
            would land outside the folder; nothing is left behind.
    """
    with atomic_directory(directory) as partial:
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    _take(tar, member, name, partial, archive)
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"{archive}: damaged ({error}); delete it and download again") from error
        if not (partial / "dataset.json").is_file():
            raise ValueError(f"{archive}: holds no {name}/dataset.json; this is not the archive of {name}")


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, partial: Path, archive: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ValueError(f"{archive}: member {member.name!r} would land outside the task folder; do not use this file")
    if path.name.startswith("._") or not path.parts:
        return
    if path.parts[0] != name:
        raise ValueError(f"{archive}: member {member.name!r} lies outside {name}/; this is not the archive of {name}")
    if not (member.isfile() or member.isdir()):
        raise ValueError(f"{archive}: member {member.name!r} is a link or a device; do not use this file")
    target = partial.joinpath(*path.parts[1:])
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # only links and devices have no content
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
    if target.stat().st_size != member.size:
        raise tarfile.ReadError(f"{member.name} ends early")
