"""The processes of a study's steps, which end with the study, however that ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

from rogseg.command_line import STARTER

__all__ = ["StepProcesses"]

GRACE = 5.0
"""Seconds in which a step may end by itself once the study is stopped: Ctrl-C of a terminal goes to both."""


class StepProcesses:
    """Runs steps while it is entered; leaving it by an error stops those that are still at work.

    What ends a batch job may tell the study alone. Several threads may each run a step.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def __enter__(self) -> "StepProcesses":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            return
        self._is_stopped = True
        until = time.monotonic() + GRACE
        for process in list(self._running):
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.terminate()

    def run(self, command: list[str], log: Path | None, jobs: int) -> int:
        """Run a command of rogseg to its end.

        Args:
            command: its arguments.
            log: what it writes goes to this file; None leaves it the terminal.
            jobs: how many such processes share the processors.

        Returns:
            Its exit status.
        """
        reading, writing = os.pipe()  # the step ends when no one holds the second, however the study ends
        try:
            return self._wait(_start(command, log, jobs, reading))
        finally:
            os.close(reading)
            os.close(writing)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        self._running.add(process)
        if self._is_stopped:  # while it began
            process.terminate()
        status = process.wait()
        self._running.remove(process)
        return status


def _start(command: list[str], log: Path | None, jobs: int, starter: int) -> subprocess.Popen[bytes]:
    arguments, more = [sys.executable, "-m", "rogseg", *command], {STARTER: str(starter)}
    if log is None:
        return subprocess.Popen(arguments, env={**os.environ, **more}, pass_fds=[starter])
    threads = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs)), **os.environ}
    with log.open("w", encoding="utf-8") as file:
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={**threads, **more}, pass_fds=[starter]
        )
