"""What stops a study stops its steps, and says that none of them is done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tiny_training import ROOT

DRIVER = """
import pathlib, sys
from rogseg.command_line import exit_status
from rogseg.engine.study import run_study, step_processes

step_processes.GRACE = 0.2
out = pathlib.Path(sys.argv[1])
steps = {"one": ["phantom", str(out / "one"), "--training", "9000", "--test", "0"]}
sys.exit(exit_status("driver", lambda: run_study.run_steps(steps, out, jobs=2), "stopped; go on later"))
"""


def begun(out: Path) -> tuple["subprocess.Popen[str]", list[int]]:
    """A study at work, and its steps."""
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    steps: list[int] = []
    while driver.poll() is None and not steps:
        threads = list(Path(f"/proc/{driver.pid}/task").iterdir())
        steps = [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]
        time.sleep(0.01)
    return driver, steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_steps_end_with_their_study(tmp_path: Path, number: signal.Signals) -> None:
    driver, steps = begun(tmp_path)
    # Ctrl-C of a terminal goes to the steps, too.
    (os.killpg if number == signal.SIGINT else os.kill)(driver.pid, number)
    _, errors = driver.communicate(timeout=240)
    assert (driver.returncode, errors) == (130, "driver: stopped; go on later\n")
    assert len(steps) == 1
    assert not Path(f"/proc/{steps[0]}").exists()
    assert not list((tmp_path / "steps").glob("*.json"))


@pytest.mark.parametrize("is_at_work", [False, True])
def test_a_step_does_not_outlive_a_study_that_is_killed(tmp_path: Path, is_at_work: bool) -> None:
    driver, (step,) = begun(tmp_path)
    while is_at_work and not list(tmp_path.glob(".*partial-one-*")):
        assert is_running(step)
        time.sleep(0.01)
    driver.kill()
    driver.communicate(timeout=60)
    until = time.monotonic() + 60
    while is_running(step) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(step)


def is_running(pid: int) -> bool:
    """Whether a process has not ended; nobody may have asked how it did."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
