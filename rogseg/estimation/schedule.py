"""When jobs on several devices are over, reckoned beforehand: the longest first, as the workers do them."""

import dataclasses
import heapq
from collections.abc import Sequence

__all__ = ["PlannedJob", "Schedule", "simulate"]


@dataclasses.dataclass(frozen=True)
class PlannedJob:
    """A job that takes one device.

    Args:
        name: of it, unique.
        seconds: on that device [s].
        after: name of the job that must be over before; None where it can begin at once.
    """

    name: str
    seconds: float
    after: str | None = None


@dataclasses.dataclass(frozen=True)
class Schedule:
    """What came out.

    Args:
        seconds: until the last job is over [s].
        work: of all jobs together [s].
        critical: the chain of jobs that no number of devices makes shorter, from the first to the last.
        critical_seconds: of that chain [s].
    """

    seconds: float
    work: float
    critical: tuple[str, ...]
    critical_seconds: float


def simulate(jobs: Sequence[PlannedJob], num_devices: int, startup: float = 0.0) -> Schedule:
    """Let so many equal devices do the jobs; one that is free takes the longest of those that can begin.

    This is list scheduling, longest first (Graham, 1969): never more than 4/3 of the shortest possible time, where no
    job waits for another.

    Args:
        jobs: in any order; equals begin in theirs.
        num_devices: how many.
        startup: what each device needs before its first job [s].

    Raises:
        ValueError: no device, a name that comes twice, or a job that waits for one that is not there or for itself.
    """
    if num_devices < 1:
        raise ValueError(f"jobs need at least one device, got {num_devices}")
    chains = _chains(jobs)
    followers: dict[str | None, list[int]] = {}
    for place, job in enumerate(jobs):
        followers.setdefault(job.after, []).append(place)
    ready = [(-jobs[place].seconds, place) for place in followers.get(None, [])]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []  # end and place of what is being done
    now, idle, fresh = 0.0, num_devices, num_devices
    while ready or running:
        while ready and idle:
            _, place = heapq.heappop(ready)
            idle -= 1
            # Devices that have worked before are taken first: they have started already.
            begin = now
            if idle < fresh:
                fresh, begin = idle, now + startup
            heapq.heappush(running, (begin + jobs[place].seconds, place))
        now, place = heapq.heappop(running)
        idle += 1
        for follower in followers.get(jobs[place].name, []):
            heapq.heappush(ready, (-jobs[follower].seconds, follower))
    longest = max(chains.values(), key=lambda chain: chain[0], default=(0.0, ()))
    return Schedule(now, sum(job.seconds for job in jobs), longest[1], longest[0])


def _chains(jobs: Sequence[PlannedJob]) -> dict[str, tuple[float, tuple[str, ...]]]:
    """For each job the seconds until it is over at the earliest, and the jobs up to it."""
    by_name = {job.name: job for job in jobs}
    if len(by_name) < len(jobs):
        raise ValueError("two jobs have one name")
    chains: dict[str, tuple[float, tuple[str, ...]]] = {}
    for job in jobs:
        path: list[PlannedJob] = []
        step: PlannedJob | None = job
        while step is not None and step.name not in chains:
            if step in path or (step.after is not None and step.after not in by_name):
                raise ValueError(f"job {step.name!r} waits for {step.after!r}, which never ends")
            path.append(step)
            step = None if step.after is None else by_name[step.after]
        for one in reversed(path):
            before = (0.0, ()) if one.after is None else chains[one.after]
            chains[one.name] = (before[0] + one.seconds, (*before[1], one.name))
    return chains
