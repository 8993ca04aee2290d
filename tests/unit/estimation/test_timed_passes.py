import pytest
import torch

from rogseg.estimation.timed_passes import MAX_RUNS, fastest_seconds, random_batch
from tests.tiny_task import tiny_plan


def test_the_noise_lies_in_the_box() -> None:
    plan = tiny_plan()
    batch = random_batch(plan, (4, 5, 6), torch.device("cpu"))
    lower, upper = plan.channels[0].box
    assert batch.inputs.shape == (1, 1, 4, 5, 6)
    assert lower <= float(batch.inputs.min()) < float(batch.inputs.max()) <= upper
    assert set(batch.targets.flatten().tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("durations", "runs", "expected"),
    [
        ([3.0, 0.2, 0.9, 0.3, 0.4, 0.1], MAX_RUNS, 0.2),  # loading, then the machine's other programs
        ([9.0, 6.0, 0.1], 2, 6.0),  # the budget is spent, but the first run alone would not do
        ([2.0, 2.0, 2.0, 0.1], 3, 2.0),
    ],
)
def test_a_pass_is_timed_by_its_fastest_run(
    durations: list[float], runs: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, left = [0.0], list(durations)

    def run() -> None:
        clock[0] += left.pop(0)

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    assert fastest_seconds(run, torch.device("cpu")) == pytest.approx(expected)
    assert len(durations) - len(left) == runs
