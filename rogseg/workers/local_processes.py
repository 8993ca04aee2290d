"""LocalProcesses: workers that are processes of this machine, with one thread each."""

import contextlib
import dataclasses
import multiprocessing
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from rogseg.workers.base import Content, Result
from rogseg.workers.case_worker import CaseWorker, Opener
from rogseg.workers.crew import Crew
from rogseg.workers.spawning import follow_driver, interrupts_later, one_thread_each

__all__ = ["LocalProcesses"]

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
        with one_thread_each({} if gpu is None else {VISIBLE_GPUS: self._gpus[gpu]}), interrupts_later():
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
    follow_driver()
    worker = CaseWorker(opener)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send_bytes(worker.answer(connection.recv_bytes()))
