"""Run the steps of a study, each after those whose results it reads, and go on after an interruption."""

import dataclasses
import os
import shlex
import time
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import torch

from rogseg.engine.digests import processor
from rogseg.engine.study.step_inputs import changed_inputs, inputs_of, other_inputs
from rogseg.engine.study.step_order import made_by, options_of, steps_before
from rogseg.engine.study.step_processes import StepProcesses
from rogseg.foreign import decode, read_json
from rogseg.storage import folder_lock, write_json_atomic

__all__ = ["Done", "done_steps", "is_begun", "outdated_steps", "run_steps"]

NOT_KNOWN = "not on record"


@dataclasses.dataclass(frozen=True)
class Done:
    """What is kept of a step.

    Args:
        command: its arguments.
        seconds: that it took.
        inputs: digests of what it read; None was written by an older version, which kept none.
        machine: that it ran on, and beside how many others.
        went_on: whether it went on with what an earlier run had left, whose seconds nobody has counted.
    """

    command: list[str]
    seconds: float
    inputs: dict[str, str] | None = None
    machine: str = NOT_KNOWN
    went_on: bool = False

    @property
    def minutes(self) -> str:
        """How long it took, for reading."""
        return f"{self.seconds / 60:.1f}{' for the rest' if self.went_on else ''}"


def run_steps(steps: Mapping[str, Sequence[str]], out: Path, jobs: int = 1) -> dict[str, Done]:
    """Run commands of rogseg as a user would; a step that is done is not run again.

    It is done with the same command on the same files and folders: where one of them has changed it runs again, and
    itself goes on with, or refuses, what it had made of the old ones. A step that fails holds up those that need it,
    and no others.

    Args:
        steps: name -> arguments of ``rogseg``; of those that may run, the first is taken.
        out: folder of ``steps/``, which says what is done.
        jobs: how many run at a time. Of several each writes to ``steps/NAME.log`` instead of the terminal.

    Returns:
        What is kept of each step.

    Raises:
        ValueError: less than one job, a stamp that is none, or a training that could not go on after an interruption,
            all before the first step; or steps failed: all others that could be done stay done.
    """
    if jobs < 1:
        raise ValueError(f"--jobs is {jobs}, it must be at least 1")
    needs = steps_before(steps)
    done: dict[str, Done] = {}
    failed: dict[str, str] = {}
    waiting = list(steps)
    running: dict[Future[Done | int], str] = {}
    with folder_lock(out, "the study"), ThreadPoolExecutor(jobs) as pool, StepProcesses() as processes:
        _refuse_lost_trainings(steps.keys() - done_steps(steps, out).keys(), steps)
        while True:
            for name in [name for name in waiting if needs[name] <= done.keys()][: jobs - len(running)]:
                waiting.remove(name)
                heading = f"{list(steps).index(name) + 1}/{len(steps)}: {name}"
                running[pool.submit(_do, heading, name, list(steps[name]), out, jobs, processes)] = name
            if not running:
                break
            for finished in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(finished)
                try:
                    outcome = finished.result()
                except (ValueError, OSError) as error:  # of what it reads, or of its stamp
                    failed[name] = f": {error}"
                    continue
                if isinstance(outcome, Done):
                    done[name] = outcome
                else:
                    failed[name] = f" with exit status {outcome}"
    if failed:
        told = ", ".join(f"{name} failed{how}" for name, how in failed.items())
        held = f" ({', '.join(waiting)} had to wait for that)" if waiting else ""
        logs = f"; see {out / 'steps'}/NAME.log" if jobs > 1 else ""
        raise ValueError(f"{told}{held}{logs}; the same command goes on from there")
    return {name: done[name] for name in steps}


def _do(heading: str, name: str, command: list[str], out: Path, jobs: int, processes: StepProcesses) -> Done | int:
    """What is kept of the step once it is done, or the exit status that it failed with."""
    stamp = _stamp(out, name)
    before, again = _done(stamp, command), ""
    if before is not None:
        changed = changed_inputs(before.inputs or {}, out)
        if not changed:
            unknown = f"; what it read is not on record, delete {stamp} to have it run again"
            print(f"== {heading}: done{unknown if before.inputs is None else ''}", flush=True)
            return before
        again = f", again: changed since is {', '.join(changed)}"
    print(f"\n== {heading}{again}\n$ rogseg {shlex.join(command)}", flush=True)
    begin, inputs = time.perf_counter(), inputs_of(command, out)
    went_on = any(path.is_dir() and any(path.iterdir()) for path in made_by(command))
    stamp.parent.mkdir(parents=True, exist_ok=True)
    if stamp.exists():  # it says nothing of what lies there from now on
        stamp.replace(_earlier(stamp))
    status = processes.run(command, stamp.with_suffix(".log") if jobs > 1 else None, jobs)
    if status:
        return status
    seconds = time.perf_counter() - begin
    machine = f"{_machine()}{f', {jobs} steps at a time' if jobs > 1 else ''}"
    done = Done(command, seconds, inputs, machine, went_on)
    write_json_atomic(stamp, dataclasses.asdict(done))
    _earlier(stamp).unlink(missing_ok=True)
    if jobs > 1:
        print(f"== {heading}: done in {seconds:.0f} s", flush=True)
    return done


def _refuse_lost_trainings(names: Set[str], steps: Mapping[str, Sequence[str]]) -> None:
    """A training that neither goes on nor starts again ends every later run of its study, once it was interrupted."""
    for name in (name for name in steps if name in names):
        options = options_of(steps[name])
        if steps[name][0] == "train" and not (options.resume or options.overwrite or options.fold == "all"):
            raise ValueError(
                f"steps.{name}: a training that is interrupted could not be taken up: give it --resume, which goes on "
                "with what is there, or --overwrite, which starts again"
            )


def is_begun(name: str, out: Path) -> bool:
    """Whether no run of a step has come to its end, so that what lies there is of the one under way."""
    stamp = _stamp(out, name)
    return not stamp.exists() and not _earlier(stamp).exists()


def _stamp(out: Path, name: str) -> Path:
    """What says that a step is done, with which command."""
    return out / "steps" / f"{name}.json"


def _earlier(stamp: Path) -> Path:
    """Where a stamp is put when its step runs again: what lies there may be of the earlier run, or no longer."""
    return stamp.with_suffix(".earlier")


def _machine() -> str:
    """What a step takes that is not told otherwise."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{processor()}, {os.cpu_count()} processors"


def done_steps(steps: Mapping[str, Sequence[str]], out: Path) -> dict[str, Done]:
    """What is kept of each step that is done with the same command; nothing is run."""
    found = ((name, _done(_stamp(out, name), command)) for name, command in steps.items())
    return {name: done for name, done in found if done is not None}


def outdated_steps(
    steps: Mapping[str, Sequence[str]], done: Mapping[str, Done], out: Path
) -> dict[str, tuple[str, ...]]:
    """Which of the steps that are done have read, themselves or through others, what has changed since; and what."""
    needs = steps_before(steps)
    found: dict[str, tuple[str, ...]] = {}
    for name in (name for name in steps if name in done):
        through = [path for maker in needs[name] if made_by(steps[maker]) for path in found.get(maker, ())]
        if changed := tuple(sorted({*other_inputs(done[name].inputs or {}, out), *through})):
            found[name] = changed
    return found


def _done(stamp: Path, command: Sequence[str]) -> Done | None:
    """What is kept of a step, where it is done with this command; None elsewhere."""
    if not stamp.is_file():
        return None
    remedy = "delete it to have the step run again"
    content = read_json(stamp, remedy)
    try:
        done = decode(content, Done, "it")
    except ValueError as error:
        raise ValueError(f"{stamp}: says nothing of a step ({error}); {remedy}") from error
    if done.command != list(command) or not all(path.exists() for path in made_by(command)):
        return None
    return done
