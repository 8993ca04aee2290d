"""Work on many cases, in this process or in several, with a progress display."""

import collections
import concurrent.futures
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from rich.console import Console

from rogseg.progress import ProgressDisplay
from rogseg.workers.spawning import follow_driver, interrupts_later, one_thread_each

__all__ = ["for_each_case"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4  # items given to a worker before it asks, so that it finds some while this process is at a large one


def for_each_case(
    function: Callable[[Item], Result], items: Sequence[Item], num_workers: int, description: str
) -> list[Result]:
    """Call `function` on every item and give the results in order; it must be importable, workers are new processes.

    Raises:
        ValueError: ``num_workers`` is not positive.
        ChildProcessError: a worker died.
    """
    if num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, got {num_workers}")
    results: dict[int, Result] = {}
    with ProgressDisplay(description, console=Console(stderr=True)) as progress:
        progress.update(0, len(items))
        for place, result in _results(function, items, min(num_workers, max(1, len(items)))):
            results[place] = result
            progress.update(len(results), len(items))
    return [results[place] for place in range(len(items))]


def _results(
    function: Callable[[Item], Result], items: Sequence[Item], num_workers: int
) -> Iterator[tuple[int, Result]]:
    if num_workers == 1:
        yield from ((place, function(item)) for place, item in enumerate(items))
        return
    # Spawned, not forked: the parent may hold threads (torch, blosc2) that a fork would break.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(num_workers - 1, mp_context=context, initializer=follow_driver)
    with one_thread_each():
        try:
            todo, begun = collections.deque(enumerate(items)), dict[Future[Result], int]()
            while todo or begun:
                while todo and len(begun) < _AHEAD * (num_workers - 1):
                    place, item = todo.popleft()
                    with interrupts_later():
                        begun[pool.submit(function, item)] = place
                if todo:  # this process works, too, while the others do or still start
                    place, item = todo.popleft()
                    yield place, function(item)
                    finished = {future for future in begun if future.done()}
                else:
                    finished = concurrent.futures.wait(begun, return_when=concurrent.futures.FIRST_COMPLETED).done
                for future in finished:
                    yield begun.pop(future), future.result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a worker process died, most likely for want of memory; run again with fewer workers: finished cases "
                "stay"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
