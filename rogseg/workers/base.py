"""Workers: whoever does independent jobs; the simplest is the process that asks."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

__all__ = ["InThisProcess", "Job", "Workers"]

Content = TypeVar("Content")
Result = TypeVar("Result", covariant=True)


@dataclasses.dataclass(frozen=True)
class Job(Generic[Content]):
    """A piece of work that needs none of the others.

    Args:
        name: in messages, for instance the id of a case.
        content: what the function of the workers is called with; small, since it may travel.
        size: how much work it is beside the others, in any unit; the largest are begun first.
    """

    name: str
    content: Content
    size: float = 1.0


class Workers(ABC, Generic[Content, Result]):
    """Call one function on the contents of jobs. To be used as a context manager."""

    @abstractmethod
    def run(self, jobs: Sequence[Job[Content]]) -> Iterator[tuple[Job[Content], Result]]:
        """Do the jobs and give each with its result, once, as soon as it is done.

        Raises:
            ChildProcessError: a job's worker died again and again.
            Exception: what the function raised, as it would have been raised here.
        """

    def __enter__(self) -> Self:
        """Nothing: workers start when they are first needed."""
        return self

    @abstractmethod
    def close(self) -> None:
        """End the workers, whatever they are at."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        self.close()


class InThisProcess(Workers[Content, Result]):
    """Does the jobs here, one after the other in the order in which they are given."""

    def __init__(self, function: Callable[[Content], Result]) -> None:
        self.function = function

    def run(self, jobs: Sequence[Job[Content]]) -> Iterator[tuple[Job[Content], Result]]:
        """Do the jobs here."""
        for job in jobs:
            yield job, self.function(job.content)

    def close(self) -> None:
        """Nothing to end."""
