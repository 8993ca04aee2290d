"""Opening files of others: a pipe that nobody writes to, or a device that never ends, is not waited for."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

__all__ = ["open_regular", "read_regular"]


def open_regular(path: str | Path, remedy: str = "") -> BufferedReader:
    """Open a plain file, or a link to one, for reading its bytes.

    Args:
        path: the file.
        remedy: what the message tells the user to do where there is no such file.

    Raises:
        ValueError: there is no such file, it may not be read, or it is a folder, pipe, socket or device.
    """
    ending = f"; {remedy}" if remedy else ""
    try:
        # Without waiting: opening a pipe for reading would else block until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file{ending}") from error
    except ValueError as error:  # NUL in the path
        raise ValueError(f"{str(path)!r}: no file can have this name ({error}){ending}") from error
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise ValueError(f"{path}: not a plain file{ending}") from error
        raise ValueError(f"{path}: cannot be read ({error.strerror}){ending}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError(f"{path}: not a plain file but a folder, pipe or device; give the file itself")
    return os.fdopen(handle, "rb")


def read_regular(path: str | Path, max_bytes: int, remedy: str = "") -> bytes:
    """All bytes of a plain file.

    Raises:
        ValueError: it cannot be opened, or is larger than ``max_bytes``.
    """
    with open_regular(path, remedy) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise ValueError(f"{path}: {size:,} bytes where at most {max_bytes:,} make sense; this is another file")
        # A file may grow while it is read, and some of /proc say that they hold nothing and never end.
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"{path}: more than the {max_bytes:,} bytes that make sense; this is another file")
    return content
