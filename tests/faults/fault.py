"""What a row of the table of faults is, and how one is tried."""

import contextlib
import dataclasses
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from rogseg.commands import main

Call = Callable[[], object]


@dataclasses.dataclass(frozen=True)
class Fault:
    """A bad input, what is done with it, and what a user must be told.

    Args:
        name: of the row, unique in its file.
        build: makes the input in an empty folder and gives a call, or the arguments of ``rogseg``.
        message: a regular expression that the message must hold.
        refused: whether it must be refused (a ValueError or OSError, exit status 2), or only be told of.
    """

    name: str
    build: Callable[[Path], Call | Sequence[str]]
    message: str
    refused: bool = True


def outcome(fault: Fault, folder: Path) -> tuple[bool, str]:
    """Try a fault: whether it was refused, and all that was said."""
    call = fault.build(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        if not callable(call):
            status = main([str(argument) for argument in call])
            assert status in (0, 2), f"exit status {status}: {said.getvalue()}"
            return status == 2, said.getvalue()
        try:
            call()
        except (ValueError, OSError) as error:
            return True, f"{said.getvalue()}{error}"
    return False, said.getvalue()
