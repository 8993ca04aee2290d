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

    Who holds the lock may clear what killed holders left (`remove_leftovers`), for nobody else writes there. The lock
    file stays, empty of meaning, when the block ends: to remove it would let two others hold two files of one name.

    Args:
        directory: the folder to be written to.
        purpose: what is done there, for the message that another process gets.
        name: of the lock file, where a folder is shared by jobs that do not disturb each other.

    Raises:
        ValueError: another process holds it, or the file system knows no locks.
    """
    path = Path(directory) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise ValueError(
                    f"{directory}: cannot be locked ({error.strerror}), so two runs could mix their files; name a "
                    "folder on another file system"
                ) from error
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
            raise ValueError(
                f"{directory}: in use by {holder or 'another process'}; wait for it to end, or name another folder"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()} ({purpose})".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)
