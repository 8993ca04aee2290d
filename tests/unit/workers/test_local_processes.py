"""Workers in processes: every job once, whatever dies; the largest first; errors as they would be here."""

import collections
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rogseg.workers import InThisProcess, Job, open_workers
from rogseg.workers.local_processes import LocalProcesses
from tests.tiny_training import ROOT
from tests.unit.workers.openers import CannotOpen, DiesOpening, TellsEnvironment, Told

Words = LocalProcesses[str, tuple[str, int]]


def jobs(*words: str) -> list[Job[str]]:
    return [Job(word, word) for word in words]


def names(workers: Words, words: list[str]) -> collections.Counter[str]:
    return collections.Counter(result[0] for _, result in workers.run(jobs(*words)))


def told(folder: Path, num_workers: int) -> Words:
    return LocalProcesses(Told(folder), num_workers)


def opened(folder: Path) -> int:
    return len(list(folder.glob("opened_*")))


def test_a_worker_opens_once_and_lives_from_run_to_run(tmp_path: Path) -> None:
    with told(tmp_path, 2) as workers:
        first = [result for _, result in workers.run(jobs("together", "together", *"abc"))]
        second = [result for _, result in workers.run(jobs("e"))]
    assert sorted(word for word, _ in first) == [*"abc", "together", "together"]
    assert len({process for _, process in first}) == 2 == opened(tmp_path)
    assert os.getpid() not in {process for _, process in first}
    assert second[0][1] in {process for _, process in first}


def test_the_largest_are_begun_first_and_equals_in_their_order(tmp_path: Path) -> None:
    sized = [Job(word, word, size) for word, size in [("b", 1), ("a", 1), ("big", 9), ("middle", 3)]]
    with told(tmp_path, 1) as workers:
        assert [job.name for job, _ in workers.run(sized)] == ["big", "middle", "b", "a"]
    # One process does as it is told.
    assert [job.name for job, _ in InThisProcess(str.upper).run(sized)] == ["b", "a", "big", "middle"]


def test_the_job_of_a_dead_worker_goes_to_another_and_no_job_is_lost_or_done_twice(tmp_path: Path) -> None:
    words = [*"abcdef", "kill x", "kill y"]
    with told(tmp_path, 2) as workers:
        assert names(workers, words) == collections.Counter(words)
    begun = collections.Counter((tmp_path / "begun").read_text().split("\n"))
    assert begun["kill x"] == begun["kill y"] == 2
    assert max(begun[word] for word in "abcdef") == 1
    assert opened(tmp_path) >= 3


def test_a_worker_that_was_killed_between_its_jobs_is_replaced(tmp_path: Path) -> None:
    with told(tmp_path, 1) as workers:
        ((_, (_, process)),) = workers.run(jobs("a"))
        os.kill(process, signal.SIGKILL)
        while Path(f"/proc/{process}/stat").read_text().split()[2] != "Z":
            time.sleep(0.01)
        assert names(workers, ["b"]) == {"b": 1}


def test_a_job_that_kills_every_worker_is_named_with_the_remedy(tmp_path: Path) -> None:
    with (
        told(tmp_path, 1) as workers,
        pytest.raises(ChildProcessError, match=r"^kill: 3 worker processes died.*fewer workers"),
    ):
        list(workers.run(jobs("kill")))


def test_what_kills_a_worker_while_it_opens_is_not_held_against_a_job(tmp_path: Path) -> None:
    with LocalProcesses[str, tuple[str, int]](DiesOpening(tmp_path, 2), 1) as workers:
        assert names(workers, ["a", "b"]) == {"a": 1, "b": 1}
    with (
        LocalProcesses[str, tuple[str, int]](DiesOpening(tmp_path, 5), 1) as others,
        pytest.raises(ChildProcessError, match=r"^opening: 3 worker processes died.*fewer workers"),
    ):
        list(others.run(jobs("a")))


def test_an_error_of_a_worker_is_what_it_would_be_here(tmp_path: Path) -> None:
    with told(tmp_path, 1) as workers:
        with pytest.raises(ValueError) as caught:
            list(workers.run(jobs("wrong")))
        assert repr(caught.value) == repr(ValueError("case 'a': it has no label"))
        assert "in _do" in "".join(caught.value.__notes__)
        with pytest.raises(RuntimeError, match="TwoPartError: one and two"):
            list(workers.run(jobs("odd")))
        assert names(workers, ["a"]) == {"a": 1}  # the worker is still there
    others: Words = LocalProcesses(CannotOpen(), 1)
    with others, pytest.raises(ValueError, match=r"^weights.pth: is not there"):
        list(others.run(jobs("a")))


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_run_that_is_left_leaves_no_worker(tmp_path: Path, num_workers: int) -> None:
    with told(tmp_path, num_workers) as workers:
        run = workers.run(jobs("a", "sleep 600", "sleep 601"))
        assert next(run)[0].name == "a"
        # The other worker may still be opening when the first has answered.
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("opened_*"))) < num_workers and time.monotonic() < deadline:
            time.sleep(0.02)
    processes = [int(path.name.removeprefix("opened_")) for path in tmp_path.glob("opened_*")]
    assert len(processes) == num_workers
    assert not any(Path(f"/proc/{process}").exists() for process in processes)
    assert list(run) == []


def test_workers_have_one_thread_and_share_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    asked = jobs("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    workers: LocalProcesses[str, str | None] = LocalProcesses(TellsEnvironment(tmp_path), 1, ["GPU-a"])
    with workers:
        assert [result for _, result in workers.run(asked)] == ["1", "1", "GPU-a"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_gpus_are_dealt_out_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    both = open_workers(TellsEnvironment(tmp_path, 2), num_workers=2, device="cuda", num_gpus=2)
    alone = open_workers(TellsEnvironment(tmp_path), num_workers=2, device="cpu", num_gpus=2)
    assert isinstance(both, LocalProcesses)
    assert isinstance(alone, LocalProcesses)
    with both, alone:
        # The first that is asked answers only once the second is, so each of the two workers has one.
        seen = [result for _, result in both.run(jobs(*["CUDA_VISIBLE_DEVICES"] * 2))]
        assert sorted(seen) == ["4", "6"]
        assert [result for _, result in alone.run(jobs("CUDA_VISIBLE_DEVICES"))] == ["4,6"]


def test_one_worker_is_this_process_and_less_is_refused() -> None:
    assert open_workers(CannotOpen()) is None
    assert open_workers(CannotOpen(), num_workers=1) is None
    with pytest.raises(ValueError, match="--num-workers is 0, it must be at least 1"):
        open_workers(CannotOpen(), num_workers=0)


def test_without_ray_a_cluster_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"--cluster needs Ray.*pip install 'rogseg\[ray\]'"):
        open_workers(CannotOpen(), cluster="local")


DRIVER = """
import pathlib, sys
from rogseg.command_line import exit_status
from rogseg.workers import Job
from rogseg.workers.local_processes import LocalProcesses
from tests.unit.workers.openers import Told

def work() -> None:
    with LocalProcesses(Told(pathlib.Path(sys.argv[1])), 2) as workers:
        for job, _ in workers.run([Job(word, word) for word in ("sleep 600", "sleep 601")]):
            pass

if __name__ == "__main__":
    sys.exit(exit_status("driver", work, "stopped; go on later"))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_driver(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    driver = subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    begun = tmp_path / "begun"
    while driver.poll() is None and (not begun.exists() or begun.read_text().count("\n") < 2):
        time.sleep(0.01)
    workers = [int(path.name.removeprefix("opened_")) for path in tmp_path.glob("opened_*")]
    assert len(workers) == 2
    # Ctrl-C of a terminal goes to the workers, too.
    (os.killpg if number == signal.SIGINT else os.kill)(driver.pid, number)
    _, errors = driver.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert (driver.returncode, errors) == (130, "driver: stopped; go on later\n")
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.01)
