"""LocalProcesses: workers that are processes of this machine, with one thread each."""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from rogseg.workers.base import Content, Result
from rogseg.workers.case_worker import CaseWorker, Opener
from rogseg.workers.crew import Crew

__all__ = ["ONE_THREAD", "LocalProcesses"]

# The libraries of linear algebra read these when they are loaded; the workers are the parallelism. Threads that wait
# for others shall not spin meanwhile.
ONE_THREAD: Mapping[str, str] = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "OMP_WAIT_POLICY": "passive",
}
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
PATIENCE = 5.0  # with a process that was asked to end [s]


@dataclasses.dataclass(frozen=True, eq=False)
class _Member:
    process: BaseProcess
    connection: Connection


class LocalProcesses(Crew[_Member, Content, Result]):
    """Processes of this machine.

    Args:
        opener: what each opens once.
        num_workers: how many.
        gpus: names of the GPUs that they share, as ``CUDA_VISIBLE_DEVICES`` has them; each process sees one of them,
            the first the first. Empty leaves things as they are.
    """

    def __init__(self, opener: Opener, num_workers: int, gpus: Sequence[str] = ()) -> None:
        super().__init__(opener, num_workers)
        self._gpus = gpus
        self._gpu_of: dict[_Member, int] = {}

    def _hire(self) -> _Member:
        # Spawned, not forked: this process may hold threads and a GPU, which a fork would break.
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, self.opener), daemon=True)
        taken = list(self._gpu_of.values())
        gpu = min(range(len(self._gpus)), key=taken.count, default=None)
        with _environment({} if gpu is None else {VISIBLE_GPUS: self._gpus[gpu]}), _interrupts_later():
            process.start()
        there.close()  # so that a dead worker's connection ends
        member = _Member(process, here)
        if gpu is not None:
            self._gpu_of[member] = gpu
        return member

    def _is_alive(self, member: _Member) -> bool:
        return member.process.is_alive()

    def _give(self, member: _Member, content: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # its death is read from the connection
            member.connection.send_bytes(content)

    def _answers(self, members: Sequence[_Member]) -> Iterable[tuple[_Member, bytes | None]]:
        of_connection: dict[Any, _Member] = {member.connection: member for member in members}
        for ready in wait(list(of_connection)):
            member = of_connection[ready]
            try:
                yield member, member.connection.recv_bytes()
            except (EOFError, ConnectionError):
                self._dismiss(member)
                yield member, None

    def _dismiss(self, member: _Member) -> None:
        member.process.terminate()
        member.process.join(PATIENCE)
        if member.process.exitcode is None:
            member.process.kill()
            member.process.join()
        member.connection.close()
        self._gpu_of.pop(member, None)


def _serve(connection: Connection, opener: bytes) -> None:
    # Ctrl-C goes to all processes of a terminal; whoever asked for the work ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One whose driver was killed in the middle of a case would go on for hours, for nobody.
    threading.Thread(target=_end_with_driver, daemon=True).start()
    worker = CaseWorker(opener)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send_bytes(worker.answer(connection.recv_bytes()))


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    # A spawned process takes over the environment of the moment.
    wanted = {**ONE_THREAD, **more}
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
def _interrupts_later() -> Iterator[None]:
    # A worker inherits that Ctrl-C waits, until it has said that it does not listen.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
