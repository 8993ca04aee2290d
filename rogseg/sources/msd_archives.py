"""The ten archives of the Medical Segmentation Decathlon: address, checksum, size."""

import dataclasses
import difflib

__all__ = ["MSD_ARCHIVES", "Archive", "download_hint", "find_archive"]


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
        f"python tools/download.py msd {task_name} gets the data (about {size:g} GB to download; unpacking needs as "
        "much again for a while)"
    )
