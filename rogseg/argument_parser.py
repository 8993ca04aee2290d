"""How the arguments of a command are read, and how a mistake in them is answered; it loads nothing."""

import argparse
import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from rogseg.command_line import nearest

__all__ = ["CommandParser", "inside", "whole"]


class CommandParser(argparse.ArgumentParser):
    """Reads the arguments of a command; a mistake in them is a ValueError that names the nearest option.

    No option may be shortened: it would change its meaning with every new one.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse, but an unknown option is told before one that is missing, which may be the one misspelt.

        Raises:
            ValueError: an option is unknown or missing, or an argument is not what it must be.
        """
        words = sys.argv[1:] if args is None else list(args)
        known = _options_of(self)
        for word in words:
            option = word.partition("=")[0]
            if option == "--":  # what follows are no options
                break
            if option.startswith("--") and " " not in option and option not in known:
                self.error(f"there is no option {option}: {nearest(option, known)}")
        try:
            found, more = self.parse_known_args(words, namespace)
        except ValueError as error:
            raise ValueError(f"{error}{self._swallowed(words, str(error))}") from error
        if more:
            self.error(f"nothing takes {' '.join(more)}")
        return found

    def _swallowed(self, words: Sequence[str], message: str) -> str:
        """What may have become of a missing argument: an option of several words takes all that follow it."""
        actions = self._option_string_actions
        takers = [word for word in words if word in actions and actions[word].nargs == "+"]
        is_missing = any(f"required: {one.dest}" in message for one in self._actions if not one.option_strings)
        if not (takers and is_missing):
            return ""
        return f"; {takers[-1]} takes all words behind it, so put what it is not for before it"

    def error(self, message: str) -> NoReturn:
        """Tell of a mistake.

        Raises:
            ValueError: always.
        """
        told = re.sub("^argument (--[a-z-]+): is ", r"\1 is ", message)
        raise ValueError(f"{told} ({self.prog} --help says more)")


def whole(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """The ``type`` of an option that takes whole numbers within bounds, both of which it may be."""
    must = f"be at least {lowest}" if highest is None else f"lie between {lowest} and {highest}"

    def read(text: str) -> int:
        number = int(text)
        if not lowest <= number <= (number if highest is None else highest):
            raise argparse.ArgumentTypeError(f"is {text}, it must {must}")
        return number

    read.__name__ = "int"  # as argparse calls it of what is no number
    return read


def inside(low: float, high: float = math.inf) -> Callable[[str], float]:
    """The ``type`` of an option that takes numbers between two bounds, none of which it may be."""
    must = f"be above {low:g} and finite" if high == math.inf else f"lie between {low:g} and {high:g}"

    def read(text: str) -> float:
        number = float(text)
        if not low < number < high:
            raise argparse.ArgumentTypeError(f"is {text}, it must {must}")
        return number

    read.__name__ = "float"
    return read


def _options_of(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a command and of what it has for sources or kinds."""
    found = set[str]()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            found.update(*map(_options_of, action.choices.values()))
    return found
