"""The load test of benchmarks/load_workers.py, small: workers and a driver killed, nothing lost, nothing twice."""

from pathlib import Path

import pytest

from benchmarks.load_workers import load_test


@pytest.mark.check
def test_kills_lose_no_finished_case_and_repeat_none(tmp_path: Path) -> None:
    log = load_test(tmp_path, 40, edge=24, worker_kills=3, driver_kills=1)
    assert (log.worker_kills, log.driver_kills) == (3, 1)
    assert log.num_records == 80
    assert (log.lost, log.doubled, log.different) == ([], [], [])
