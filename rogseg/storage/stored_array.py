"""One compressed array in a file, of which any region can be read, and whose every byte is under a checksum.

A checksum of the whole file would mean to read gigabytes for one patch. So the two ends of the file, which say where
everything lies, are checked when it is first opened, and each chunk when it is first needed: once per process and file.
"""

import dataclasses
import os
import zlib
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import open_regular

__all__ = ["ArrayChecksum", "read_array", "verify_array", "write_array"]

CHUNK, BLOCK = 64, 16
ENDS = 2**16  # bytes; the first hold what the array is, the last where its chunks are

_REMEDY = "run rogseg preprocess again, which makes the case anew"


@dataclasses.dataclass(frozen=True)
class ArrayChecksum:
    """What a file of an array is: its size [bytes], the CRC32 of its two ends and that of each compressed chunk."""

    size: int
    ends: int
    chunks: tuple[int, ...]


def write_array(path: Path, array: NDArray[Any], codec: blosc2.Codec) -> ArrayChecksum:
    """Compress an array of three or more axes, the last three spatial, into a file.

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    lead = (1,) * (array.ndim - 3)
    chunks = lead + tuple(min(CHUNK, length) for length in array.shape[-3:])
    blocks = lead + tuple(min(BLOCK, length) for length in array.shape[-3:])
    cparams = blosc2.CParams(codec=codec, clevel=1, nthreads=1, filters=[blosc2.Filter.SHUFFLE])
    # In memory first: a full disk is then an OSError with a reason, which blosc2 does not give.
    packed = blosc2.asarray(np.ascontiguousarray(array), chunks=chunks, blocks=blocks, cparams=cparams)
    content = packed.to_cframe()
    path.write_bytes(content)
    # Of what is read: a file does not hold chunks of zeros, and the one that is read for them has another header.
    written = blosc2.ndarray_from_cframe(content)
    crcs = tuple(zlib.crc32(written.schunk.get_chunk(index)) for index in range(written.schunk.nchunks))
    return ArrayChecksum(len(content), _ends(content[:ENDS], content[-ENDS:]), crcs)


def read_array(
    path: Path,
    shape: tuple[int, ...],
    dtype: type[np.generic],
    region: tuple[slice, ...],
    checksum: ArrayChecksum | None,
) -> NDArray[Any]:
    """Read a region of an array.

    Args:
        path: its file.
        shape: that the array must have.
        dtype: that the array must have.
        region: one slice per axis, without steps.
        checksum: what the file must be; None for files from before there were checksums.

    Raises:
        ValueError: the file is missing, damaged, or of another shape or type.
    """
    verified = None if checksum is None else _verified(path, checksum)
    try:
        # One thread: the loader's workers are the parallelism, and a forked worker must not meet a pool of threads.
        array = blosc2.open(str(path), mode="r", mmap_mode="r", dparams=blosc2.DParams(nthreads=1))
        if tuple(array.shape) != shape or array.dtype != dtype:
            raise ValueError(f"it holds {array.dtype} values of shape {tuple(array.shape)}, not {shape}")
        if checksum is not None and verified is not None:
            _check_chunks(array, _touched(array, region), verified, checksum)
        return np.asarray(array[region], dtype=dtype)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file; {_REMEDY}") from error
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())}); {_REMEDY}") from error


def verify_array(path: Path, checksum: ArrayChecksum) -> None:
    """Hold every byte of a file against its checksum.

    Raises:
        ValueError: the file is missing or damaged.
    """
    verified = _verified(path, checksum)
    try:
        array = blosc2.open(str(path), mode="r", mmap_mode="r", dparams=blosc2.DParams(nthreads=1))
        if array.schunk.nchunks != len(checksum.chunks):
            raise ValueError(f"it holds {array.schunk.nchunks} chunks, not {len(checksum.chunks)}")
        _check_chunks(array, set(range(len(checksum.chunks))), verified, checksum)
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())}); {_REMEDY}") from error


def _check_chunks(array: Any, needed: set[int], verified: set[int], checksum: ArrayChecksum) -> None:
    for index in needed - verified:
        if index >= len(checksum.chunks) or zlib.crc32(array.schunk.get_chunk(index)) != checksum.chunks[index]:
            raise ValueError(f"the checksum of chunk {index} differs")
        verified.add(index)


_checked: dict[str, tuple[tuple[int, ...], set[int]]] = {}
"""By path: which state of the file was checked, and which of its chunks."""


def _verified(path: Path, checksum: ArrayChecksum) -> set[int]:
    """The chunks that were checked already, after a check of the ends of a file that is new or was changed."""
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file; {_REMEDY}") from error
    state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, checksum.ends)
    known = _checked.get(str(path))
    if known is not None and known[0] == state:
        return known[1]
    with open_regular(path, _REMEDY) as file:
        first = file.read(ENDS)
        file.seek(max(0, status.st_size - ENDS))
        last = file.read(ENDS)
    if status.st_size != checksum.size:
        raise ValueError(f"{path}: damaged ({status.st_size} of {checksum.size} bytes); {_REMEDY}")
    if _ends(first, last) != checksum.ends:
        raise ValueError(f"{path}: damaged (its checksum differs); {_REMEDY}")
    _checked[str(path)] = (state, set())
    return _checked[str(path)][1]


def _ends(first: bytes, last: bytes) -> int:
    return zlib.crc32(last, zlib.crc32(first))


def _touched(array: Any, region: tuple[slice, ...]) -> set[int]:
    """The numbers of the chunks in which a region lies."""
    axes, grid = [], []
    for part, length, chunk in zip(region, array.shape, array.chunks, strict=True):
        start, stop, _ = part.indices(length)
        axes.append(np.arange(start // chunk, -(-stop // chunk)))
        grid.append(-(-length // chunk))
    return set(np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), grid).ravel().tolist())
