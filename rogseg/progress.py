"""How far a long job is: a bar on a terminal; elsewhere, in a log file or a batch job, a line now and then."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["ProgressDisplay"]


class ProgressDisplay:
    """Shows the items of one job as they are finished, with the time that is left.

    To be used as a context manager. What the first update tells was done before, by an earlier run, and says nothing
    about the time of the others.

    Args:
        title: what is done.
        console: where to; None is standard output.
        count: says in words how many of how many are done; for what is not counted in ones.
        seconds_between: without a terminal, at most one line in so many seconds [s].
        clock: gives the time [s].
    """

    def __init__(
        self,
        title: str,
        *,
        console: Console | None = None,
        count: Callable[[int, int], str] = "{} of {}".format,
        seconds_between: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title, self.seconds_between, self.clock = title, seconds_between, clock
        self.console, self.count = console or Console(), count
        self.done = self.total = 0
        self._done_before: int | None = None
        self._begin = self._told = clock()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        """Open the bar, where there is a terminal."""
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
            self._bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self.console)
            self._task = self._bar.add_task(self.title, total=None, count="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()

    def begin(self, title: str) -> None:
        """Go on with another job, whose items are counted anew; a bar stays above its own."""
        self.title, self.done, self.total, self._done_before = title, 0, 0, None
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=None, count="")

    def update(self, done: int, total: int) -> None:
        """So many items of so many are done."""
        self.done, self.total = done, total
        if self._done_before is None:
            self._done_before, self._begin, self._told = done, self.clock(), self.clock()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, count=self.count(done, total))
        elif self.clock() - self._told >= self.seconds_between:
            self.say(self.line())

    def say(self, line: str) -> None:
        """Print a line, above the bar where there is one; it stands in for the next line of progress."""
        self._told = self.clock()
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far [s]; None before an item is done."""
        done = self.done - (self._done_before or 0)
        return (self.clock() - self._begin) / done * (self.total - self.done) if done > 0 else None

    def line(self) -> str:
        """``apgd_ce: 3 of 20 in 0:02:10, 0:12:17 left``."""
        begun = timedelta(seconds=round(self.clock() - self._begin))
        left = self.seconds_left
        tail = "" if left is None else f", {timedelta(seconds=round(left))} left"
        return f"{self.title}: {self.count(self.done, self.total)} in {begun}{tail}"
