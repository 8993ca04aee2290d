"""CaseWorker: the end of the line; it opens what its jobs need once and then answers, in bytes, one job at a time."""

import pickle
import traceback
from collections.abc import Callable
from typing import Any

__all__ = ["OPENING", "CaseWorker", "Opener", "packed_job", "unpacked_answer"]

Opener = Callable[[], Callable[[Any], Any]]
"""Called once in each worker; gives the function that its jobs go to. It travels: a dataclass of small parts."""
OPENING = b""  # in place of a job: only open what jobs need


class CaseWorker:
    """What runs in a worker process, whoever started that.

    Args:
        opener: an `Opener`, pickled.
    """

    def __init__(self, opener: bytes) -> None:
        self._opener = opener
        self._function: Callable[[Any], Any] | None = None

    def answer(self, content: bytes) -> bytes:
        """Do a job, or only open; the result, or what it raised, comes back as bytes."""
        try:
            if self._function is None:
                self._function = pickle.loads(self._opener)()
            result = None if content == OPENING else self._function(pickle.loads(content))
            return pickle.dumps((True, result))
        except Exception as error:  # not swallowed: it is raised where the answer is unpacked
            return pickle.dumps((False, _that_travels(error)))


def packed_job(content: Any) -> bytes:
    """What `CaseWorker.answer` takes."""
    return pickle.dumps(content)


def unpacked_answer(answer: bytes) -> Any:
    """The result of a job.

    Raises:
        Exception: what the job raised in its worker, with the worker's traceback as a note.
    """
    succeeded, outcome = pickle.loads(answer)
    if succeeded:
        return outcome
    raise outcome


def _that_travels(error: Exception) -> Exception:
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        # Some exceptions can be pickled and not unpickled, for instance those whose constructor takes two arguments.
        pickle.loads(pickle.dumps(error))
    except (TypeError, ValueError, AttributeError, RecursionError, pickle.PickleError):
        stand_in = RuntimeError(f"{type(error).__name__}: {error}")
        stand_in.__notes__ = list(error.__notes__)
        return stand_in
    return error
