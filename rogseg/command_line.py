"""What every command line does with a user's mistake; it loads nothing, so that ``--help`` stays quick."""

import sys
from collections.abc import Callable

__all__ = ["exit_status"]


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
