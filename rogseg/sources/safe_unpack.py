"""Unpack a task archive without letting it write anywhere else."""

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from rogseg.foreign import checked_name, open_regular
from rogseg.storage import atomic_directory, naming

__all__ = ["unpack_task"]


def unpack_task(archive: Path, name: str, directory: Path) -> None:
    """Unpack the folder `name` of a tar file as `directory`, which appears whole or not at all.

    Only plain files and folders are taken, and only their bytes: no links, devices, owners or modes. The ``._``
    twins that macOS packs along are left out.

    Raises:
        ValueError: the archive is damaged, lacks ``dataset.json``, or holds a member that is a link or a device or
            would land outside the folder; nothing is left behind.
    """
    room = shutil.disk_usage(_existing(directory)).free
    with open_regular(archive) as packed, atomic_directory(directory) as partial:
        try:
            # Only as it is published, without compression, which could hide more than any disk holds.
            with tarfile.open(fileobj=packed, mode="r:") as tar:
                for member in tar:
                    room -= _take(tar, member, name, partial, archive, room)
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"{archive}: damaged ({error}); delete it and download again") from error
        if not (partial / "dataset.json").is_file():
            raise ValueError(f"{archive}: holds no {name}/dataset.json; this is not the archive of {name}")


def _existing(directory: Path) -> Path:
    return next(folder for folder in Path(os.path.abspath(directory)).parents if folder.is_dir())


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, partial: Path, archive: Path, room: int) -> int:
    """Unpack one member and give its size [bytes]."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ValueError(f"{archive}: member {member.name!r} would land outside the task folder; do not use this file")
    if path.name.startswith("._") or path.name == ".DS_Store" or not path.parts:
        return 0
    if path.parts[0] != name:
        raise ValueError(f"{archive}: member {member.name!r} lies outside {name}/; this is not the archive of {name}")
    for part in path.parts[1:]:
        checked_name(part, f"{archive}: member {member.name!r}")
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise ValueError(f"{archive}: member {member.name!r} is a link or a device; do not use this file")
    if member.size > room:
        raise ValueError(
            f"{archive}: member {member.name!r} has {member.size:,} bytes, and {room:,} are free; make room, or do not "
            "use this file"
        )
    target = partial.joinpath(*path.parts[1:])
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # only links and devices have no content
    with source, naming(target), target.open("xb") as file:
        shutil.copyfileobj(source, file)
    if target.stat().st_size != member.size:
        raise tarfile.ReadError(f"{member.name} ends early")
    return member.size
