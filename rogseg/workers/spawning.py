"""Processes of this machine that are spawned to work: one thread each, no ears for Ctrl-C, no life without a driver."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping

__all__ = ["follow_driver", "interrupts_later", "one_thread_each"]

# The libraries of linear algebra read these when they are loaded; the workers are the parallelism. Threads that wait
# for others shall not spin meanwhile.
ONE_THREAD: Mapping[str, str] = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "OMP_WAIT_POLICY": "passive",
}


@contextlib.contextmanager
def one_thread_each(more: Mapping[str, str] | None = None) -> Iterator[None]:
    """An environment for processes that are spawned meanwhile: one thread each, and what else is given."""
    wanted = {**ONE_THREAD, **(more or {})}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Let Ctrl-C wait: a worker that is started meanwhile inherits that, until it has said that it does not listen."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow_driver() -> None:
    """To be called first in a worker: its driver ends it, and its driver's death does.

    Ctrl-C goes to all processes of a terminal; whoever asked for the work ends the workers. One whose driver was killed
    would go on for hours, for nobody, or write while the next run writes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)
