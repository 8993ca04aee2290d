"""A training whose trainer changes its replays: its budget, its schedule, and how it goes on after an interruption."""

from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.engine.training.one_cycle import OneCycle
from rogseg.engine.training.train import train
from rogseg.models.checkpoints import LAST, read_checkpoint
from rogseg.storage import StoredTask
from tests.tiny_task import write_tiny_task
from tests.tiny_training import Overrides, tiny_config
from tests.unit.engine.training.test_train import assert_equal

BUDGET, ITERATIONS = 14, 2
SEAT = f"""
trainer = dict(
    type="SEATTrainer", trainer=dict(type="FreeTrainer", num_replays=1, epsilon=0.05), interval=1, tolerance=1.0
)
train_cfg = dict(max_epochs={BUDGET}, iterations_per_epoch={ITERATIONS})
param_scheduler = [dict(type="OneCycle", by_epoch=False)]
plateau = None
validation = dict(max_volumes=0, interval=100, volume_interval=100)
"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> StoredTask:
    return write_tiny_task(tmp_path_factory.mktemp("task"))


def run(
    tmp_path: Path, task: StoredTask, name: str, extra: str = "", overrides: Overrides | None = None
) -> dict[str, Any]:
    train(tiny_config(tmp_path, task.directory, tmp_path / name, SEAT + extra, overrides), task.directory)
    return read_checkpoint(tmp_path / name / LAST)


def test_every_replay_is_paid_from_the_budget_and_the_schedule_follows(tmp_path: Path, task: StoredTask) -> None:
    history = run(tmp_path, task, "w")["train_loop"]["history"]
    replays = [int(record["num_replays"]) for record in history]
    assert replays[:3] == [1, 2, 2]
    assert len(set(replays)) > 2  # with no tolerance they go up and down
    assert sum(replays) - replays[-1] < BUDGET <= sum(replays)
    assert [record["iter"] for record in history] == [ITERATIONS * (epoch + 1) for epoch in range(len(replays))]
    assert "val_loss" in history[-1]  # the last epoch, known only then, ends with a validation
    schedule = OneCycle(torch.optim.SGD([torch.zeros(1)], lr=1e-3), by_epoch=False, end=BUDGET * ITERATIONS)
    for epoch, record in enumerate(history):
        planned = min(sum(replays[: epoch + 1]) * ITERATIONS, BUDGET * ITERATIONS - 1)  # the last step there is
        assert record["lr"] == pytest.approx(1e-3 * schedule.scale(planned), rel=1e-6)


@pytest.mark.parametrize("replays", [1, 2])
def test_a_schedule_by_epochs_counts_those_of_standard_training(tmp_path: Path, task: StoredTask, replays: int) -> None:
    free = f"trainer = dict(_delete_=True, type='FreeTrainer', num_replays={replays}, epsilon=0.05)\n"
    steps = "param_scheduler = [dict(type='MultiStepLR', milestones=[8], gamma=0.5), dict(type='LinearLR')]\n"
    last = run(tmp_path, task, "w", free + steps)
    rates = [record["lr"] for record in last["train_loop"]["history"]]
    assert len(rates) == BUDGET // replays
    before, after = rates[8 // replays - 1], rates[8 // replays]
    assert after < 0.6 * before
    assert [state["end"] for state in last["param_schedulers"]] == [BUDGET, BUDGET]
    assert rates[:2] == pytest.approx([rates[0], rates[0] * (1 + 2 * replays / (BUDGET - 1))])


def test_epochs_of_standard_training_are_not_turned_into_mini_batches_of_another(
    tmp_path: Path, task: StoredTask
) -> None:
    free = "trainer = dict(_delete_=True, type='FreeTrainer', num_replays=2, epsilon=0.05)\n"
    with pytest.raises(ValueError, match=r"param_scheduler\[0\]\.convert_to_iter_based"):
        run(tmp_path, task, "w", free + "param_scheduler = [dict(type='LinearLR', convert_to_iter_based=True)]\n")


def test_it_goes_on_bit_for_bit(tmp_path: Path, task: StoredTask) -> None:
    whole = run(tmp_path, task, "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, task, "parts", 'custom_hooks = [dict(type="InterruptHook", epoch=2)]\n')
    parts = run(tmp_path, task, "parts", overrides={"resume": True})
    for key in ("state_dict", "optimizer"):
        assert_equal(whole[key], parts[key])
    first, second = whole["train_loop"], parts["train_loop"]
    assert first["spent"] == second["spent"]
    assert_equal(first["trainers"], second["trainers"])
    assert [record["num_replays"] for record in first["history"]] == [
        record["num_replays"] for record in second["history"]
    ]


def test_accumulation_that_a_checkpoint_would_lose_is_refused_before_it_happens(
    tmp_path: Path, task: StoredTask
) -> None:
    counts, plain = "optim_wrapper.accumulative_counts", "param_scheduler = None\ntrainer.update(max_replays=2)\n"
    # 1 and seven times 2 are more than the budget, which the count of updates must know.
    whole = run(tmp_path, task, "w", plain, {counts: 2})
    assert whole["train_loop"]["spent"] == BUDGET + 1
    with pytest.raises(ValueError, match="accumulative_counts is 4"):
        run(tmp_path, task, "v", plain, {counts: 4})


def test_a_training_without_epochs_is_refused(tmp_path: Path, task: StoredTask) -> None:
    with pytest.raises(ValueError, match="max_epochs is 0"):
        run(tmp_path, task, "w", overrides={"train_cfg.max_epochs": 0})
