"""What every command line does with a user's mistake; it loads nothing, so that ``--help`` stays quick."""

import difflib
import sys
from collections.abc import Callable, Iterable

__all__ = ["exit_status", "nearest"]


def exit_status(program: str, job: Callable[[], object], if_interrupted: str = "stopped") -> int:
    """Run a job and say how it went.

    Args:
        program: name of the command, which opens its messages.
        job: what the command does.
        if_interrupted: what the user is told who stops it, for instance how to go on.

    Returns:
        0; 2 after a ValueError or OSError, whose message goes to standard error; 130 after an interruption.
    """
    try:
        job()
    except (ValueError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: {if_interrupted}", file=sys.stderr)
        return 130
    return 0


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for an error message: the known word that is nearest, and else all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
