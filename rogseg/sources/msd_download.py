"""The ten archives of the Medical Segmentation Decathlon, and how one comes to disk: fetch, check, unpack."""

import dataclasses
import difflib
import shutil
from pathlib import Path

from rich.console import Console

from rogseg.foreign import checked_name
from rogseg.progress import ProgressDisplay
from rogseg.sources.resumable_fetch import checksum_of, fetch
from rogseg.sources.safe_unpack import unpack_task
from rogseg.storage import folder_lock, remove_leftovers

__all__ = ["MSD_ARCHIVES", "Archive", "download_archive", "download_hint", "download_msd_task", "find_archive"]


@dataclasses.dataclass(frozen=True)
class Archive:
    """A tar file that holds one task folder ``<name>/``; ``gigabytes`` is its size to the nearest tenth or so."""

    name: str
    url: str
    md5: str
    gigabytes: float


_BUCKET = "https://msd-for-monai.s3-us-west-2.amazonaws.com"

# Licence of the data: CC-BY-SA 4.0. Checksums as MONAI publishes them for the same bucket.
MSD_ARCHIVES = {
    name: Archive(name, f"{_BUCKET}/{name}.tar", md5, gigabytes)
    for name, md5, gigabytes in (
        ("Task01_BrainTumour", "240a19d752f0d9e9101544901065d872", 7.6),
        ("Task02_Heart", "06ee59366e1e5124267b774dbd654057", 0.46),
        ("Task03_Liver", "a90ec6c4aa7f6a3d087205e23d4e6397", 28.9),
        ("Task04_Hippocampus", "9d24dba78a72977dbd1d2e110310f31b", 0.03),
        ("Task05_Prostate", "35138f08b1efaef89d7424d2bcc928db", 0.24),
        ("Task06_Lung", "8afd997733c7fc0432f71255ba4e52dc", 9.2),
        ("Task07_Pancreas", "4f7080cfca169fa8066d17ce6eb061e4", 12.3),
        ("Task08_HepaticVessel", "641d79e80ec66453921d997fbf12a29c", 9.4),
        ("Task09_Spleen", "410d4a301da4e5b2f6f86ec3ddba524e", 1.6),
        ("Task10_Colon", "bad7a188931dc2f6acf72b08eb6202d0", 6.2),
    )
}


def find_archive(task_name: str) -> Archive:
    """The archive of an MSD task.

    Raises:
        ValueError: it is none of the ten; the message lists them.
    """
    if task_name in MSD_ARCHIVES:
        return MSD_ARCHIVES[task_name]
    near = difflib.get_close_matches(task_name, MSD_ARCHIVES, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise ValueError(f"{task_name!r} is no task of the MSD; {meant}There are: {', '.join(MSD_ARCHIVES)}")


def download_hint(task_name: str) -> str:
    """Which command gets the data of an MSD task, and how large it is.

    Raises:
        ValueError: it is none of the ten.
    """
    size = find_archive(task_name).gigabytes
    return (
        f"rogseg download msd {task_name} gets the data (about {size:g} GB to download; unpacking needs as "
        "much again for a while)"
    )


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
