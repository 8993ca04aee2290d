"""Run the steps of a study one after the other, and go on after an interruption."""

import dataclasses
import itertools
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.engine.study.step_inputs import MADE, changed_inputs, inputs_of
from rogseg.foreign import decode, read_json
from rogseg.storage import folder_lock, write_json_atomic

__all__ = ["done_steps", "run_steps"]


@dataclasses.dataclass(frozen=True)
class Done:
    """What is kept of a step.

    Args:
        command: its arguments.
        seconds: that it took.
        inputs: digests of what it read; None was written by an older version, which kept none.
    """

    command: list[str]
    seconds: float
    inputs: dict[str, str] | None = None


def run_steps(steps: Mapping[str, Sequence[str]], out: Path) -> dict[str, float]:
    """Run commands of rogseg as a user would; a step that is done is not run again.

    It is done with the same command on the same files and folders: where one of them has changed it runs again, and
    itself goes on with, or refuses, what it had made of the old ones.

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
            done = _done(stamp, command)
            changed: tuple[str, ...] = ()
            if done is not None:
                changed = changed_inputs(done.inputs or {}, out)
                if not changed:
                    unknown = f"; what it read is not on record, delete {stamp} to have it run again"
                    print(f"== {heading}: done{unknown if done.inputs is None else ''}")
                    seconds[name] = done.seconds
                    continue
            again = f", again: changed since is {', '.join(changed)}" if changed else ""
            print(f"\n== {heading}{again}\n$ rogseg {shlex.join(command)}", flush=True)
            begin, inputs = time.perf_counter(), inputs_of(command, out)
            status = subprocess.run([sys.executable, "-m", "rogseg", *command], check=False).returncode
            if status:
                raise ValueError(f"{name} failed with exit status {status}; the same command goes on from there")
            seconds[name] = time.perf_counter() - begin
            stamp.parent.mkdir(parents=True, exist_ok=True)
            write_json_atomic(stamp, dataclasses.asdict(Done(list(command), seconds[name], inputs)))
    return seconds


def done_steps(steps: Mapping[str, Sequence[str]], out: Path) -> dict[str, float]:
    """Seconds of each step that is done with the same command; nothing is run."""
    found = ((name, _done(out / "steps" / f"{name}.json", command)) for name, command in steps.items())
    return {name: done.seconds for name, done in found if done is not None}


def _done(stamp: Path, command: Sequence[str]) -> Done | None:
    """What is kept of a step, where it is done with this command; None elsewhere."""
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
    return done
