"""How far a long job is: a bar on a terminal; elsewhere, in a log file or a batch job, a line now and then."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

__all__ = ["ProgressDisplay"]


class ProgressDisplay:
    """Shows the items of one job as they are finished, with the time that is left.

    To be used as a context manager. What an earlier run finished counts as done and not as time.

    Args:
        title: what is done.
        total: number of items.
        done: items that were finished before.
        console: where to; None is standard output.
        seconds_between: without a terminal, at most one line in so many seconds [s].
        clock: gives the time [s].
    """

    def __init__(
        self,
        title: str,
        total: int,
        *,
        done: int = 0,
        console: Console | None = None,
        seconds_between: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title, self.total, self.done = title, total, done
        self.console = console or Console()
        self.seconds_between, self.clock = seconds_between, clock
        self._done_before = done
        self._begin = self._told = clock()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        """Open the bar, where there is a terminal."""
        self._begin = self._told = self.clock()
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, TimeLeftColumn(), console=self.console)
            self._task = self._bar.add_task(self.title, total=self.total, completed=self.done)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self, items: int = 1) -> None:
        """Some more are done."""
        self.update(self.done + items)

    def skip(self, items: int) -> None:
        """Some turn out to have been done before; they say nothing about the time of the others."""
        self._done_before += items
        self.update(self.done + items)

    def update(self, done: int) -> None:
        """So many are done."""
        self.done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif self.clock() - self._told >= self.seconds_between:
            self.say(self.line())

    def say(self, line: str) -> None:
        """Print a line, above the bar where there is one; it stands in for the next line of progress."""
        self._told = self.clock()
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far [s]; None before the first item is done."""
        done = self.done - self._done_before
        return (self.clock() - self._begin) / done * (self.total - self.done) if done > 0 else None

    def line(self) -> str:
        """``apgd_ce: 3 of 20 in 0:02:10, 0:12:17 left``."""
        begun = timedelta(seconds=round(self.clock() - self._begin))
        left = self.seconds_left
        tail = "" if left is None else f", {timedelta(seconds=round(left))} left"
        return f"{self.title}: {self.done} of {self.total} in {begun}{tail}"
