"""Work on many cases, in this process or in several, with a progress display."""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from rich.console import Console

from rogseg.progress import ProgressDisplay

__all__ = ["for_each_case"]

Item = TypeVar("Item")
Result = TypeVar("Result")

# BLAS reads these when it is loaded; one thread per worker, for the workers are the parallelism.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
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
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    # Spawned, not forked: the parent may hold threads (torch, blosc2) that a fork would break.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(num_workers - 1, mp_context=context, initializer=_follow_parent)
    try:
        todo, begun = collections.deque(enumerate(items)), dict[Future[Result], int]()
        while todo or begun:
            while todo and len(begun) < _AHEAD * (num_workers - 1):
                place, item = todo.popleft()
                with _interrupts_later():
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
            "a worker process died, most likely for want of memory; run again with fewer workers: finished cases stay"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    # A worker that is started meanwhile inherits that Ctrl-C waits, until it knows that the parent deals with it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow_parent() -> None:
    # Ctrl-C goes to all processes of a terminal: workers end with what they are at, and the parent says so once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A worker whose parent was killed would wait for work for ever, or write while the next run writes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_exit, args=(parent,), daemon=True).start()


def _wait_and_exit(parent: Any) -> None:
    parent.join()
    os._exit(1)
