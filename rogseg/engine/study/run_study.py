"""Run the steps of a study one after the other, and go on after an interruption."""

import dataclasses
import itertools
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.foreign import decode, read_json
from rogseg.storage import folder_lock, write_json_atomic

__all__ = ["run_steps"]

MADE = ("--out", "--work-dir")  # what stands behind them is there once a command is done


@dataclasses.dataclass(frozen=True)
class Done:
    """What is kept of a step: its arguments, and the seconds that it took."""

    command: list[str]
    seconds: float


def run_steps(steps: Mapping[str, Sequence[str]], out: Path) -> dict[str, float]:
    """Run commands of rogseg as a user would; a step that is done with the same command is not run again.

    Args:
        steps: name -> arguments of ``rogseg``, in order.
        out: folder of ``steps/``, which says what is done.

    Returns:
        Seconds of each step.

    Raises:
        ValueError: a step failed; the steps before it stay done.
    """
    seconds = {}
    with folder_lock(out, "the study"):
        for number, (name, command) in enumerate(steps.items(), start=1):
            stamp = out / "steps" / f"{name}.json"
            heading = f"{number}/{len(steps)}: {name}"
            if (known := _seconds_of(stamp, command)) is not None:
                print(f"== {heading}: done")
                seconds[name] = known
                continue
            print(f"\n== {heading}\n$ rogseg {shlex.join(command)}", flush=True)
            begin = time.perf_counter()
            status = subprocess.run([sys.executable, "-m", "rogseg", *command], check=False).returncode
            if status:
                raise ValueError(f"{name} failed with exit status {status}; the same command goes on from there")
            seconds[name] = time.perf_counter() - begin
            stamp.parent.mkdir(parents=True, exist_ok=True)
            write_json_atomic(stamp, dataclasses.asdict(Done(list(command), seconds[name])))
    return seconds


def _seconds_of(stamp: Path, command: Sequence[str]) -> float | None:
    """What a step took, where it is done with this command; None elsewhere."""
    if not stamp.is_file():
        return None
    remedy = "delete it to have the step run again"
    try:
        done = decode(read_json(stamp, remedy), Done, "it")
    except ValueError as error:
        raise ValueError(f"{stamp}: says nothing of a step ({error}); {remedy}") from error
    made = [Path(value) for flag, value in itertools.pairwise(command) if flag in MADE]
    if done.command != list(command) or not all(path.exists() for path in made):
        return None
    return done.seconds
