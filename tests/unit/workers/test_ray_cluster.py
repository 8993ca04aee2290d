"""Workers of a local Ray cluster do what processes do; in a process of its own, since Ray lives once in each."""

import collections
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_training import ROOT

DRIVER = """
import pathlib, sys
from rogseg.workers import Job, open_workers
from tests.unit.workers.openers import Told

def jobs(*words):
    return [Job(word, word, len(word)) for word in words]

if __name__ == "__main__":
    with open_workers(Told(pathlib.Path(sys.argv[1])), num_workers=2, cluster="local", device="cpu") as workers:
        for job, (word, process) in workers.run(jobs("a", "b", "c", "d", "kill x")):
            print(word)
        for wrong in ("wrong", "kill"):
            try:
                list(workers.run(jobs(wrong)))
            except (ValueError, ChildProcessError) as error:
                print(type(error).__name__, str(error).split(":")[0])
        print([word for _, (word, _) in workers.run(jobs("e"))])
"""


@pytest.mark.check
def test_actors_open_once_die_and_fail_as_processes_do(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "driver.py").write_text(DRIVER)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "driver.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "raylet" not in line]
    assert collections.Counter(told[:5]) == collections.Counter(["a", "b", "c", "d", "kill x"])
    assert told[5:] == ["ValueError case 'a'", "ChildProcessError kill", "['e']"]
    begun = collections.Counter((tmp_path / "begun").read_text().split("\n"))
    assert (begun["kill x"], begun["kill"], begun["a"]) == (2, 3, 1)
