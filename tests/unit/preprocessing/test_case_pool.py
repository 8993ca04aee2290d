"""Work on many cases: results in order, this process among the workers, a dead worker told."""

import os
import time

import pytest

from rogseg.preprocessing.case_pool import for_each_case


def slow_process_id(number: int) -> tuple[int, int]:
    time.sleep(0.03)
    return number, os.getpid()


def die_elsewhere(process: int) -> int:
    time.sleep(0.05)
    if os.getpid() != process:
        os._exit(1)
    return process


@pytest.mark.parametrize("num_workers", [1, 2, 3])
def test_results_come_in_order_from_as_many_processes_as_asked_for(num_workers: int) -> None:
    results = for_each_case(slow_process_id, list(range(60)), num_workers, "counting")
    assert [number for number, _ in results] == list(range(60))
    processes = {process for _, process in results}
    assert os.getpid() in processes
    assert len(processes) <= num_workers


def test_no_item_is_no_work() -> None:
    assert for_each_case(slow_process_id, [], 2, "counting") == []


def test_a_dead_worker_ends_the_work_with_the_remedy() -> None:
    with pytest.raises(ChildProcessError, match=r"a worker process died.*fewer workers"):
        for_each_case(die_elsewhere, [os.getpid()] * 200, 2, "dying")


def test_less_than_one_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="num_workers must be at least 1, got 0"):
        for_each_case(slow_process_id, [1], 0, "counting")
