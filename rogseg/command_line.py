"""What every command line does with mistakes and interruptions; it loads nothing, so that ``--help`` stays quick."""

import difflib
import errno
import os
import pickle
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from rogseg.raised_in import foreign_fault, is_of_library

__all__ = ["STARTER", "exit_status", "follow_starter", "is_out_of_memory", "named_place", "nearest"]

TRACEBACK = "ROGSEG_TRACEBACK"
"""Environment variable: where it is set, what a user is told of comes with the way that led there."""

STARTER = "ROGSEG_STARTER"
"""Environment variable: number of the end of a pipe whose other end whoever started this process holds."""

MOST_LISTED = 10  # of known words, in a message about one that is not

WHAT_TO_DO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room there, and run the same command again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "name another place, or have its owner let you"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit (ulimit -n), or work with fewer processes"),
    errno.ENAMETOOLONG: "name a place with a shorter path",
}
"""By the number that the operating system gives its errors."""


def exit_status(program: str, job: Callable[[], object], if_interrupted: str = "stopped") -> int:
    """Run a job and say how it went.

    Args:
        program: name of the command, which opens its messages.
        job: what the command does.
        if_interrupted: what the user is told who stops it, for instance how to go on.

    Returns:
        0; 2 after what a user can mend, which goes to standard error as a sentence; 130 after Ctrl-C or SIGTERM. What
        is left is a bug and is raised. Errors of a component of the user's own are the user's to mend.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a locale without some letter still gets the rest
    stopping = _Stopping()
    try:
        with stopping:
            job()
            if sys.stdout is not None:
                sys.stdout.flush()  # what cannot be written is told here, not when Python ends
    except BaseException as error:
        # A library that is interrupted while it is imported may say so in words of its own.
        # The SIGTERM of a batch system goes to the loading processes, too, and may be heard from them first.
        is_stopped = "DataLoader worker" in str(error) and "signal: Terminated" in str(error)
        if stopping.is_asked or is_stopped or isinstance(error, KeyboardInterrupt):
            if stopping.before:  # PyTorch complains of loading processes that end, which they now shall
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            print(f"{program}: {if_interrupted}", file=sys.stderr)
            return 130
        if isinstance(error, BrokenPipeError):  # who read the output has gone, and wants no message
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 141
        sentence = _sentence(error)
        if sentence is None:
            raise
        if os.environ.get(TRACEBACK):
            traceback.print_exception(error)
        print(f"{program}: {sentence}", file=sys.stderr)
        return 2
    return 0


class _Stopping:
    """While it is entered, SIGTERM ends the job as Ctrl-C does, and either is remembered."""

    def __init__(self) -> None:
        self.is_asked = False
        self.process = os.getpid()
        self.before: dict[int, object] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM and os.getpid() != self.process:  # a forked worker, which has nothing to say
            os._exit(128 + number)
        self.is_asked = os.getpid() == self.process
        raise KeyboardInterrupt


def follow_starter() -> None:
    """To be called first in a command that another one starts as a user would: its starter's death ends it.

    Ctrl-C it hears itself. Without `STARTER` it is a user who started it, and nothing is done.
    """
    handle = os.environ.pop(STARTER, None)  # what it starts itself follows it
    if handle is not None:
        threading.Thread(target=_end_with_pipe, args=(int(handle),), daemon=True).start()


def _end_with_pipe(handle: int) -> None:
    os.read(handle, 1)  # nobody writes: it returns when the other end is closed, as by a death
    os._exit(1)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had too little memory, in the words of Python, numpy or PyTorch."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _sentence(error: BaseException) -> str | None:
    """What a user is told; None of a bug."""
    # PyTorch hands an error of a worker on with the traceback as its text; the last line is what was raised.
    text = str(error)
    if "Original Traceback" in text:
        text = re.sub(r"^[\w.]*(Error|Exception): ", "", text.strip().splitlines()[-1])
    if is_out_of_memory(error):
        first = text.splitlines()[0] if text else "there is too little"
        return first if "memory" in first else f"out of memory: {first}"
    if (fault := foreign_fault(error)) is not None:
        return f"{fault}; this file is no part of rogseg: mend it there, or set {TRACEBACK}=1 to see what led to it"
    if isinstance(error, AssertionError) and text and is_of_library(error, "mmengine"):
        return f"a value in the config is refused by MMEngine: {text}"
    if isinstance(error, pickle.PickleError):
        return "something that is more than plain data cannot be sent to another process, or read from a file"
    if isinstance(error, RecursionError):
        return "a file or an argument is nested too deeply"
    if isinstance(error, RuntimeError) and "DataLoader worker" in text:
        return (
            "a process that loads data was ended from outside, mostly for lack of memory: lower train_data.num_workers "
            "or train_data.batch_size"
        )
    if isinstance(error, OSError):
        return _of_operating_system(error)
    return text if isinstance(error, ValueError) else None


def _of_operating_system(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    place = " -> ".join(os.fsdecode(one) for one in (error.filename, error.filename2) if isinstance(one, str | bytes))
    remedy = WHAT_TO_DO.get(error.errno or 0)
    return (f"{place}: " if place else "") + error.strerror + (f"; {remedy}" if remedy else "")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for an error message: the known word that is nearest, and where none is near, up to ten that are nearest.

    The ten stand in the order of their nearness, and the message says how many more there are. Words whose numbers
    differ in leading zeros alone, as ids of cases do, are nearer than any other.
    """
    known = sorted(known)
    close = [one for one in known if _without_zeros(one) == _without_zeros(word)]
    close = close or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    ranked = sorted(known, key=lambda one: difflib.SequenceMatcher(None, one, word).ratio(), reverse=True)
    more = len(ranked) - MOST_LISTED
    return f"known are {', '.join(ranked[:MOST_LISTED])}" + (f", ... and {more} more" if more > 0 else "")


def _without_zeros(word: str) -> str:
    return re.sub("0*([0-9]+)", r"\1", word)


def named_place(entry: str) -> tuple[str, str]:
    """The two sides of ``NAME=PLACE``; the name is empty of a place alone.

    Either side may hold further ``=``: the place is the longest end of the entry that exists. Where none does it is
    all that follows the first.
    """
    if "=" not in entry or Path(entry).exists():
        return "", entry
    cuts = [(entry[:at], entry[at + 1 :]) for at, letter in enumerate(entry) if letter == "="]
    return next(((before, after) for before, after in cuts if after and Path(after).exists()), cuts[0])
