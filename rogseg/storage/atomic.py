"""Files and folders that are there whole or not at all, whatever moment the process dies."""

import contextlib
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "PARTIAL_PREFIX",
    "atomic_directory",
    "create_bytes_atomic",
    "remove_leftovers",
    "write_bytes_atomic",
    "write_json_atomic",
    "write_text_atomic",
]

PARTIAL_PREFIX = ".rogseg-partial-"


def write_bytes_atomic(path: str | Path, data: bytes, lasting: bool = True) -> None:
    """Write a file through a temporary neighbour, so that readers see the old content or the new, never a part.

    `lasting` waits for the disk, so that this holds after a power failure, too; what is checked when it is read and can
    be made again need not wait.
    """
    with _written_beside(Path(path), data, lasting) as name:
        os.replace(name, path)


def create_bytes_atomic(path: str | Path, data: bytes) -> None:
    """Write a file that nobody has written yet: of two processes that do so at once one gets an error.

    Raises:
        FileExistsError: it is there.
    """
    with _written_beside(Path(path), data, lasting=True) as name:
        try:
            os.link(name, path)
        except FileExistsError:
            raise
        except OSError:  # the file system knows no links: the name is taken first, and bears nothing for a moment
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.replace(name, path)


@contextlib.contextmanager
def _written_beside(path: Path, data: bytes, lasting: bool) -> Iterator[str]:
    """The name of a temporary neighbour with this content, which is gone when the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{PARTIAL_PREFIX}{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())  # mkstemp makes files for the owner only
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def write_text_atomic(path: str | Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    write_bytes_atomic(path, text.encode())


def write_json_atomic(path: str | Path, obj: Any) -> None:
    """Write `obj` as JSON, atomically.

    Raises:
        ValueError: `obj` holds NaN or infinity, which JSON does not know.
    """
    write_bytes_atomic(path, (json.dumps(obj, indent=1, allow_nan=False) + "\n").encode())


@contextlib.contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield a fresh folder that takes the name `path` when the block ends well and vanishes when it does not.

    A folder that has the name already is replaced as a whole. After kill -9 a hidden leftover may stay beside `path`;
    `remove_leftovers` clears it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{PARTIAL_PREFIX}{path.name}-", dir=path.parent))
    try:
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _sync(file)
        os.chmod(partial, 0o777 & ~_umask())
        if path.exists():
            # A folder cannot be renamed over a full one: the old one steps aside first.
            old = Path(tempfile.mkdtemp(prefix=f"{PARTIAL_PREFIX}{path.name}-", dir=path.parent))
            os.replace(path, old)
            os.replace(partial, path)
            shutil.rmtree(old)
        else:
            os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def remove_leftovers(directory: str | Path, name: str | None = None) -> int:
    """Delete what killed writers left in `directory`, and say how many; no other writer may be at work there.

    With a `name`, only what was meant to become that file or folder: then others may write beside it.
    """
    # The random part of a temporary name is eight characters long: "a-b" is not taken for a leftover of "a".
    pattern = PARTIAL_PREFIX + ("*" if name is None else f"{glob.escape(name)}-????????")
    leftovers = list(Path(directory).glob(pattern))
    for leftover in leftovers:
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
    return len(leftovers)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
