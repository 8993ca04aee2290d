"""What the workers of the tests open: small functions that live, die, fail and wait as they are told."""

import dataclasses
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


class TwoPartError(ValueError):
    """An error that can be pickled and not unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def wait_for_workers(folder: Path, number: int) -> None:
    """Until so many wait here at once: each has a job then."""
    (folder / f"waiting_{os.getpid()}").touch()
    while len(list(folder.glob("waiting_*"))) < number:
        time.sleep(0.01)


@dataclasses.dataclass(frozen=True)
class Told:
    """Opens a function of a word.

    ``kill NAME`` dies the first time that the job is tried, ``kill`` always; ``wrong`` and ``odd`` raise; ``together``
    waits for a second worker.

    Args:
        folder: where it notes each opening, and the jobs that were begun.
    """

    folder: Path

    def __call__(self) -> Callable[[str], tuple[str, int]]:
        (self.folder / f"opened_{os.getpid()}").touch()
        return self._do

    def _do(self, word: str) -> tuple[str, int]:
        with (self.folder / "begun").open("a") as file:
            file.write(f"{word}\n")
        what, _, name = word.partition(" ")
        if what == "kill" and not (name and (self.folder / name).exists()):
            (self.folder / name).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "wrong":
            raise ValueError("case 'a': it has no label")
        if what == "odd":
            raise TwoPartError("one", "two")
        if what == "together":
            wait_for_workers(self.folder, 2)
        if what == "sleep":
            time.sleep(float(name))
        return word, os.getpid()


@dataclasses.dataclass(frozen=True)
class DiesOpening:
    """An opener that dies some times, and then opens the same as `Told`.

    Args:
        folder: where it notes each time.
        times: that it dies.
    """

    folder: Path
    times: int

    def __call__(self) -> Callable[[str], tuple[str, int]]:
        if len(list(self.folder.glob("died_*"))) < self.times:
            (self.folder / f"died_{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Told(self.folder)()


@dataclasses.dataclass(frozen=True)
class CannotOpen:
    """An opener that finds nothing."""

    def __call__(self) -> Callable[[str], str]:
        raise ValueError("weights.pth: is not there")


@dataclasses.dataclass(frozen=True)
class TellsEnvironment:
    """Opens a function that gives a variable of its process's environment, once so many workers were asked for it.

    Args:
        folder: where each notes that it was asked.
        number: of workers.
    """

    folder: Path
    number: int = 1

    def __call__(self) -> Callable[[str], str | None]:
        return self._tell

    def _tell(self, name: str) -> str | None:
        wait_for_workers(self.folder, self.number)
        return os.environ.get(name)
