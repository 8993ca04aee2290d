"""Files and folders that are there whole or not at all, whatever moment the process dies."""

import contextlib
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "PARTIAL_PREFIX",
    "atomic_directory",
    "create_bytes_atomic",
    "naming",
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
    with naming(path), _held_beside(path, tempfile.mkstemp) as (handle, name):
        try:
            with open(handle, "wb", closefd=False) as file:
                file.write(data)
                if lasting:
                    file.flush()
                    os.fsync(handle)
            os.chmod(name, 0o666 & ~_umask())  # mkstemp makes files for the owner only
            yield name
        finally:
            Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the operating system name this file where they name none, as of a full disk, or a temporary one."""
    try:
        yield
    except OSError as error:
        # An error that a library words itself has no number, and would lose its words.
        if error.errno is not None and (error.filename is None or PARTIAL_PREFIX in str(error.filename)):
            error.filename, error.filename2 = str(path), None
        raise


@contextlib.contextmanager
def _held_beside(path: Path, make: Callable[..., tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """A temporary neighbour that nobody takes for a leftover before the block ends; leftovers of this name go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent, path.name)
    while True:
        handle, name = make(prefix=f"{PARTIAL_PREFIX}{path.name}-", dir=path.parent)
        try:
            # A file system without locks keeps leftovers, too: there nobody can tell whose they are.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Before it was locked, another writer may have taken it for a leftover.
            if os.path.exists(name):
                yield handle, name
                return
        finally:
            os.close(handle)


def _make_folder(prefix: str, dir: Path) -> tuple[int, str]:
    name = tempfile.mkdtemp(prefix=prefix, dir=dir)
    return os.open(name, os.O_RDONLY | os.O_CLOEXEC), name


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
def atomic_directory(path: str | Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a fresh folder that takes the name `path` when the block ends well and vanishes when it does not.

    A folder that has the name already is replaced as a whole. After kill -9 a hidden leftover may stay beside `path`
    until it is written again, or `remove_leftovers` clears it.

    Raises:
        ValueError: something has the name already, and is not to be replaced.
    """
    path = Path(path)
    if not replace and path.exists():
        raise ValueError(f"{path}: exists already; name a folder that does not")
    with naming(path), _held_beside(path, _make_folder) as (_, name):
        partial = Path(name)
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
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.replace(partial, path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def remove_leftovers(directory: str | Path, name: str | None = None) -> int:
    """Delete what killed writers left in `directory`, and say how many; what is being written there stays.

    With a `name`, only what was meant to become that file or folder.
    """
    # The random part of a temporary name is eight characters long: "a-b" is not taken for a leftover of "a".
    pattern = PARTIAL_PREFIX + ("*" if name is None else f"{glob.escape(name)}-????????")
    return sum(_removed(leftover) for leftover in Path(directory).glob(pattern))


def _removed(leftover: Path) -> bool:
    """Whether nobody writes it any more, and it is gone."""
    try:
        handle = os.open(leftover, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False  # its writer was faster, or it is another user's
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


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
