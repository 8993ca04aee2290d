"""The schedule of jobs on devices against what can be said in closed form."""

import math

import pytest

from rogseg.estimation.schedule import PlannedJob, simulate


def jobs(*seconds: float) -> list[PlannedJob]:
    return [PlannedJob(f"job {number}", length) for number, length in enumerate(seconds)]


@pytest.mark.parametrize(("number", "devices"), [(1, 1), (7, 1), (7, 2), (8, 3), (9, 3), (4, 64)])
def test_equal_jobs_take_as_many_rounds_as_they_fill(number: int, devices: int) -> None:
    assert simulate(jobs(*[2.5] * number), devices).seconds == 2.5 * math.ceil(number / devices)


def test_one_device_takes_the_sum_and_many_the_longest() -> None:
    lengths = (3.0, 1.0, 4.0, 1.5, 9.0, 2.6)
    assert simulate(jobs(*lengths), 1).seconds == pytest.approx(sum(lengths))
    many = simulate(jobs(*lengths), 6)
    assert (many.seconds, many.critical, many.critical_seconds) == (9.0, ("job 4",), 9.0)
    assert many.work == pytest.approx(sum(lengths))


def test_the_longest_are_begun_first() -> None:
    # Graham's example, where longest first takes 4 m - 1 and the best 3 m.
    for m in (2, 3, 5):
        lengths = [length for length in range(2 * m - 1, m, -1) for _ in range(2)] + [m] * 3
        assert simulate(jobs(*lengths), m).seconds == 4 * m - 1
    # Shortest first, the long job would begin last: 1 + 1 + 10.
    assert simulate(jobs(1, 1, 1, 1, 10), 2).seconds == 10


def test_no_schedule_is_shorter_than_its_work_or_its_longest_chain_or_longer_than_graham() -> None:
    lengths = [1 + (37 * number % 23) for number in range(40)]
    for devices in (2, 3, 7, 16):
        found = simulate(jobs(*lengths), devices).seconds
        bound = max(sum(lengths) / devices, max(lengths))
        assert bound <= found <= (4 / 3 - 1 / (3 * devices)) * bound + max(lengths) / 3


def test_a_job_waits_for_the_one_before_it() -> None:
    chain = [PlannedJob("train", 5), PlannedJob("attack", 2, "train"), PlannedJob("report", 1, "attack")]
    found = simulate([*chain, PlannedJob("other", 4)], 2)
    assert found.seconds == 8
    assert found.critical == ("train", "attack", "report")
    assert simulate([*chain, PlannedJob("other", 4)], 1).seconds == 12


def test_a_device_starts_once() -> None:
    assert simulate(jobs(2, 2, 2, 2), 2, startup=10).seconds == 14
    assert simulate(jobs(2), 8, startup=10).seconds == 12


@pytest.mark.parametrize(
    ("wrong", "devices", "message"),
    [
        (jobs(1), 0, "at least one device, got 0"),
        ([PlannedJob("a", 1), PlannedJob("a", 2)], 1, "two jobs have one name"),
        ([PlannedJob("a", 1, "b"), PlannedJob("b", 1, "a")], 1, "never ends"),
        ([PlannedJob("a", 1, "c")], 1, "'a' waits for 'c', which never ends"),
    ],
)
def test_what_never_ends_is_refused(wrong: list[PlannedJob], devices: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(wrong, devices)
