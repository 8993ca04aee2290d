"""One writer per folder: a lock that the system takes back when its holder dies, however it dies."""

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LOCK_FILE", "folder_lock"]

LOCK_FILE = ".rogseg-lock"


@contextlib.contextmanager
def folder_lock(directory: str | Path, purpose: str, name: str = LOCK_FILE) -> Iterator[None]:
    """Hold a folder for this process alone; it is made where it is missing.

    Who holds the lock may clear what killed holders left (`remove_leftovers`), for nobody else writes there.

    Args:
        directory: the folder to be written to.
        purpose: what is done there, for the message that another process gets.
        name: of the lock file, where a folder is shared by jobs that do not disturb each other.

    Raises:
        ValueError: another process holds it, or the file system knows no locks.
    """
    path = Path(directory) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _taken(path)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()} ({purpose})".encode(), 0)
        yield
    finally:
        # Removed while it is held: who opened it meanwhile finds another file, or none, under the name (`_taken`).
        path.unlink(missing_ok=True)
        os.close(handle)


def _taken(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
            os.close(handle)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise ValueError(
                    f"{path.parent}: cannot be locked ({error.strerror}), so two runs could mix their files; name a "
                    "folder on another file system"
                ) from error
            raise ValueError(
                f"{path.parent}: in use by {holder or 'another process'}; wait for it to end, or name another folder"
            ) from error
        if _is_still(path, handle):
            return handle
        os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False
