"""Arrays in ``.npz`` files of others: no code, no more memory than makes sense, and every damage in one sentence."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.foreign.regular_file import open_regular

__all__ = ["read_arrays"]

# What the readers of damaged archives end in.
DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError)


def read_arrays(path: str | Path, max_bytes: int, remedy: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file that ``numpy.savez`` wrote, by their names; its checksums are looked at.

    Args:
        path: the file.
        max_bytes: a file that unpacks to more is refused unread.
        remedy: what the message tells the user to do about a file that cannot be used.

    Raises:
        ValueError: no such file, not a plain one, damaged, too large, or with objects in it.
    """
    with open_regular(path, remedy) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
                if size > max_bytes:
                    raise ValueError(f"it unpacks to {size:,} bytes where at most {max_bytes:,} make sense")
                return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in archive.infolist()}
        except DAMAGE as error:
            reason = str(error).split(". If you trust")[0]  # no message advises to load what is refused
            raise ValueError(f"{path}: no usable file of arrays ({reason}); {remedy}") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        member.read()  # to its end, where the checksum is compared
        return array
