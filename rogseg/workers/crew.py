"""Crew: hands jobs to workers elsewhere, the largest first, and gives a dead worker's job to another."""

import collections
import pickle
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from rogseg.workers.base import Content, Job, Result, Workers
from rogseg.workers.case_worker import OPENING, Opener, packed_job, unpacked_answer

__all__ = ["MOST_DEATHS", "Crew"]

Member = TypeVar("Member")

MOST_DEATHS = 3  # of workers at one job, or before their first: by then it is no accident


class Crew(Workers[Content, Result], Generic[Member, Content, Result]):
    """Workers outside of this process; one job each at a time, so that the last ones end close together.

    A worker first opens what its jobs need, and gets a job once it has: what kills it before is not the job's fault,
    and no job waits for it while others are free. A worker that dies, by the kernel's hand or with its machine, loses
    the job that it was at and no other: the job goes to another worker, from its beginning. Jobs therefore must be such
    that doing one twice does no harm.

    Args:
        opener: what each worker opens once.
        num_workers: how many at most.
    """

    def __init__(self, opener: Opener, num_workers: int) -> None:
        self.opener, self.num_workers = pickle.dumps(opener), num_workers
        self._idle: list[Member] = []
        self._opening: set[Member] = set()
        self._at_work: dict[Member, Job[Content]] = {}

    def run(self, jobs: Sequence[Job[Content]]) -> Iterator[tuple[Job[Content], Result]]:
        """Do the jobs, the largest first, those of one size in the order in which they are given."""
        waiting = collections.deque(sorted(jobs, key=lambda job: -job.size))
        deaths: collections.Counter[int] = collections.Counter()  # by the identity of the job
        unopened = 0  # workers that died before their first job, since one lived
        try:
            self._fill(waiting)
            # Whoever closes the crew in between leaves jobs that nobody will take.
            while self._at_work or (waiting and self._opening):
                for member, answer in list(self._answers((*self._opening, *self._at_work))):
                    job = self._at_work.pop(member, None)
                    self._opening.discard(member)
                    if answer is not None:
                        self._idle.append(member)
                    elif job is None:
                        unopened += 1
                        _refuse_deadly("opening", unopened)
                    else:
                        deaths[id(job)] += 1
                        _refuse_deadly(job.name, deaths[id(job)])
                        waiting.appendleft(job)
                    self._fill(waiting)  # before the result is dealt with, so that nobody waits for that
                    if answer is not None:
                        unopened, result = 0, unpacked_answer(answer)
                        if job is not None:
                            yield job, result
        finally:
            # Whoever stops asking, or is interrupted, does not want what is still being done.
            self._stop_work()

    def close(self) -> None:
        """End all workers."""
        self._stop_work()  # of a run that was left, and whose generator somebody still holds
        for members in (self._idle, self._opening):
            while members:
                self._dismiss(members.pop())

    def _stop_work(self) -> None:
        while self._at_work:
            self._dismiss(self._at_work.popitem()[0])

    def _fill(self, waiting: "collections.deque[Job[Content]]") -> None:
        while waiting and self._idle and len(self._at_work) < self.num_workers:
            member = self._idle.pop()
            if self._is_alive(member):
                job = waiting.popleft()
                self._at_work[member] = job  # before it has the job, so that an interruption finds it
                self._give(member, packed_job(job.content))
            else:
                self._dismiss(member)
        while len(self._opening) < min(len(waiting), self.num_workers - len(self._at_work)):
            member = self._hire()
            self._opening.add(member)
            self._give(member, OPENING)

    @abstractmethod
    def _hire(self) -> Member:
        """Start a worker."""

    @abstractmethod
    def _is_alive(self, member: Member) -> bool:
        """Whether a worker without a job is still there."""

    @abstractmethod
    def _give(self, member: Member, content: bytes) -> None:
        """Give a worker a job; one that has died meanwhile is found by `_answers`."""

    @abstractmethod
    def _answers(self, members: Sequence[Member]) -> Iterable[tuple[Member, bytes | None]]:
        """Wait until one of some workers has answered or died, and give those that have; None is death."""

    @abstractmethod
    def _dismiss(self, member: Member) -> None:
        """End a worker, whatever it is at."""


def _refuse_deadly(name: str, num_deaths: int) -> None:
    if num_deaths >= MOST_DEATHS:
        raise ChildProcessError(
            f"{name}: {num_deaths} worker processes died at it, one after the other, most likely for want of memory: "
            "run again with fewer workers; what is finished stays"
        )
