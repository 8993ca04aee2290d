"""Bring a task of the Medical Segmentation Decathlon to disk: fetch, check, unpack."""

import shutil
from pathlib import Path

from rich.console import Console

from rogseg.foreign import checked_name
from rogseg.progress import ProgressDisplay
from rogseg.sources.msd_archives import Archive, find_archive
from rogseg.sources.resumable_fetch import checksum_of, fetch
from rogseg.sources.safe_unpack import unpack_task
from rogseg.storage import folder_lock, remove_leftovers

__all__ = ["download_archive", "download_msd_task"]


def download_msd_task(task_name: str, root: str | Path = "data/raw", *, keep_archive: bool = False) -> Path:
    """Download, check and unpack one of the ten tasks into ``<root>/<task_name>``; done work is not done again.

    Raises:
        ValueError: no such task, not enough room, a wrong checksum or a suspicious archive.
        ConnectionError: the connection kept breaking; run again to go on.
    """
    return download_archive(find_archive(task_name), root, keep_archive=keep_archive)


def download_archive(archive: Archive, root: str | Path, *, keep_archive: bool = False) -> Path:
    """Bring any archive that holds one task folder to ``<root>/<name>``.

    Raises:
        ValueError: not enough room, a wrong checksum or a suspicious archive.
        ConnectionError: the connection kept breaking; run again to go on.
    """
    root, name = Path(root), checked_name(archive.name, "the name of an archive")
    directory, packed = root / name, root / f"{name}.tar"
    if (directory / "dataset.json").is_file():
        return directory
    if directory.exists():
        raise ValueError(f"{directory}: exists but has no dataset.json; move it away and run the command again")
    with folder_lock(root, f"downloading {name}", f".rogseg-lock-{name}"):
        was_there = packed.exists()
        if was_there:
            found = checksum_of(packed, archive.md5)
            if found != archive.md5:
                raise ValueError(
                    f"{packed}: lies there already and has the checksum {found} instead of {archive.md5}, so it is "
                    "damaged or another file; delete it and run the command again"
                )
        else:
            _check_room(archive, root)
            _fetch_with_progress(archive, packed)
        is_ours = remove_leftovers(root, name) > 0 or not was_there  # a killed run's half-unpacked gigabytes
        unpack_task(packed, name, directory)
        if is_ours and not keep_archive:  # what somebody else has brought is his
            packed.unlink()
    return directory


def _check_room(archive: Archive, root: Path) -> None:
    part = root / f"{archive.name}.tar.part"
    here = part.stat().st_size / 1e9 if part.exists() else 0.0
    needed, free = 2 * archive.gigabytes - here, shutil.disk_usage(root).free / 1e9
    if free < needed:
        raise ValueError(
            f"{root}: {free:.1f} GB are free, but {archive.name} needs about {needed:.1f} GB until it is unpacked; "
            "make room or name another folder with --root"
        )


def _fetch_with_progress(archive: Archive, packed: Path) -> None:
    def gigabytes(have: int, total: int) -> str:
        return f"{have / 1e9:.2f} of {total / 1e9:.2f} GB"

    with ProgressDisplay(archive.name, console=Console(stderr=True), count=gigabytes) as progress:
        about = round(archive.gigabytes * 1e9)
        fetch(
            archive.url,
            packed,
            archive.md5,
            on_bytes=lambda have, total: progress.update(have, about if total is None else total),
        )
