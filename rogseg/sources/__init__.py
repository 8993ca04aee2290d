"""Where raw data comes from: the public archives and a phantom generator."""

from rogseg.sources.msd_download import (
    MSD_ARCHIVES,
    Archive,
    download_archive,
    download_hint,
    download_msd_task,
    find_archive,
)
from rogseg.sources.phantom import PhantomTask, phantom_modalities, write_phantom_task
from rogseg.sources.resumable_fetch import fetch
from rogseg.sources.safe_unpack import unpack_task

__all__ = [
    "MSD_ARCHIVES",
    "Archive",
    "PhantomTask",
    "download_archive",
    "download_hint",
    "download_msd_task",
    "fetch",
    "find_archive",
    "phantom_modalities",
    "unpack_task",
    "write_phantom_task",
]
