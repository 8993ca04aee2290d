import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from rogseg.command_line import exit_status
from rogseg.engine.training.train import build_runner, train
from rogseg.engine.training.training_data import split_of
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.engine.training.work_dir import work_dir_of
from rogseg.models.checkpoints import BEST, LAST, read_checkpoint
from rogseg.registry import HOOKS
from rogseg.storage import StoredTask, write_stored_case
from tests.tiny_task import CASE_IDS, write_tiny_task
from tests.tiny_training import Overrides, tiny_config


@HOOKS.register_module()
class InterruptHook(Hook):
    """Breaks off in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_train_iter(
        self, runner: TrainingRunner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if runner.epoch == self.epoch and batch_idx == 1:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> StoredTask:
    return write_tiny_task(tmp_path_factory.mktemp("task"))


def run(
    tmp_path: Path, task: StoredTask, name: str, extra: str = "", overrides: Overrides | None = None
) -> dict[str, Any]:
    train(tiny_config(tmp_path, task.directory, tmp_path / name, extra, overrides), task.directory)
    return read_checkpoint(tmp_path / name / LAST)


def test_a_training_leaves_checkpoints_history_and_curves(tmp_path: Path, task: StoredTask) -> None:
    last = run(tmp_path, task, "w", overrides={"train_data.num_workers": 1})
    folder = tmp_path / "w"
    records = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert [record["iter"] for record in records] == [3, 6, 9]
    assert {"loss", "loss_dice", "loss_ce", "val_loss", "dice", "dice_organ", "score", "lr"} <= set(records[0])
    assert records == last["train_loop"]["history"]
    assert (folder / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert "epoch 3/3" in (folder / "train.log").read_text()
    assert json.loads((folder / "finished.json").read_text())["epochs"] == 3
    # Nothing is named for the moment of the start, and there is nothing else to clear up.
    written = {"last.pth", "best.pth", "history.jsonl", "curves.png", "train.log", "finished.json", "tiny.py"}
    assert {path.name for path in folder.iterdir()} == written
    best = read_checkpoint(folder / BEST)
    assert set(best) == {"meta", "state_dict"}
    assert best["meta"]["metrics"]["score"] == max(record["score"] for record in records)
    assert best["meta"]["task"]["name"] == "Task99_Tiny"


def test_validation_cases_of_the_fold_are_neither_trained_nor_selected_on(tmp_path: Path, task: StoredTask) -> None:
    config = tiny_config(tmp_path, task.directory, tmp_path / "w")
    fit, selection = split_of(config, task)
    assert set(fit) | set(selection) == set(CASE_IDS[:8])
    assert len(selection) == 2
    runner = build_runner(config, task)
    assert {case.directory.name for case in runner.train_dataloader.dataset.cases} == set(fit)
    validation = runner.train_loop.validation
    assert {case.directory.name for case in validation.patches.cases + validation.volumes.cases} <= set(selection)


def test_replays_divide_the_epochs_and_epsilon_zero_is_standard_training(tmp_path: Path, task: StoredTask) -> None:
    free = 'trainer = dict(type="FreeTrainer", num_replays={}, epsilon=0.0, clean_loss_interval=0)\n'
    divided = run(tmp_path, task, "five", free.format(5))
    assert divided["meta"]["epoch"] == 1  # three epochs at five replays
    once, standard = run(tmp_path, task, "one", free.format(1)), run(tmp_path, task, "standard")
    assert once["meta"]["epoch"] == 3
    for key, value in standard["state_dict"].items():
        assert torch.equal(value, once["state_dict"][key])


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path, task: StoredTask) -> None:
    extra = (
        'default_hooks = dict(ema=dict(type="EMAHook", momentum=0.1))\n'
        'trainer = dict(type="FreeTrainer", num_replays=2, epsilon=0.05)\n'
        "plateau = dict(patience=2, window=1)\n"
        'param_scheduler = [dict(type="ExponentialLR", gamma=0.7)]\n'
    )
    epochs = {"train_cfg.max_epochs": 8, "optim_wrapper.accumulative_counts": 2}
    whole = run(tmp_path, task, "whole", extra, epochs)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, task, "parts", extra + 'custom_hooks = [dict(type="InterruptHook", epoch=2)]\n', epochs)
    first = read_checkpoint(tmp_path / "parts" / LAST)
    assert first["meta"]["epoch"] == 2
    assert not torch.equal(first["state_dict"]["head.classifier.weight"], whole["state_dict"]["head.classifier.weight"])
    resumed = run(tmp_path, task, "parts", extra, {**epochs, "resume": True})
    assert resumed["meta"]["epoch"] == whole["meta"]["epoch"] == 4
    assert_equal(
        {key: whole[key] for key in ("state_dict", "ema_state_dict", "optimizer", "param_schedulers", "plateau")},
        {key: resumed[key] for key in ("state_dict", "ema_state_dict", "optimizer", "param_schedulers", "plateau")},
    )
    assert_equal(whole["train_loop"]["trainers"], resumed["train_loop"]["trainers"])
    assert "kept" in whole["train_loop"]["trainers"][0]


def test_a_hook_of_a_base_config_is_taken_out_by_none(tmp_path: Path, task: StoredTask) -> None:
    averaged = 'default_hooks = dict(ema=dict(type="EMAHook", momentum=0.1))\n'
    assert "ema_state_dict" in run(tmp_path, task, "averaged", averaged)
    assert "ema_state_dict" not in run(tmp_path, task, "plain", averaged, {"default_hooks.ema": None})


def test_what_mmengine_asserts_of_a_value_is_told_in_a_sentence(
    tmp_path: Path, task: StoredTask, capsys: pytest.CaptureFixture[str]
) -> None:
    averaged = 'default_hooks = dict(ema=dict(type="EMAHook", momentum=2.0))\n'
    assert exit_status("rogseg train", lambda: run(tmp_path, task, "w", averaged)) == 2
    assert "in the config is refused by MMEngine: momentum must be in range" in capsys.readouterr().err


def test_one_cycle_rises_and_falls_and_resumes(tmp_path: Path, task: StoredTask) -> None:
    extra = 'param_scheduler = [dict(type="OneCycle", by_epoch=False, rise=0.34)]\nplateau = None\n'
    rates = [record["lr"] for record in run(tmp_path, task, "w", extra)["train_loop"]["history"]]
    assert max(rates) == rates[0] == pytest.approx(1e-3)
    assert rates[2] < 3e-4
    assert run(tmp_path, task, "w", extra, {"resume": True})["meta"]["epoch"] == 3


def test_mixed_precision_trains_on_a_cpu(tmp_path: Path, task: StoredTask) -> None:
    history = run(tmp_path, task, "w", overrides={"optim_wrapper.type": "AutocastOptimWrapper"})["train_loop"][
        "history"
    ]
    assert history[-1]["loss"] < history[0]["loss"]
    config = tiny_config(
        tmp_path,
        task.directory,
        tmp_path / "v",
        overrides={"optim_wrapper.type": "AutocastOptimWrapper", "optim_wrapper.dtype": "float16"},
    )
    with pytest.raises(ValueError, match="bfloat16"):
        train(config, task.directory)


def test_gradients_that_a_checkpoint_would_lose_are_an_error(tmp_path: Path, task: StoredTask) -> None:
    with pytest.raises(ValueError, match="accumulative_counts is 2"):
        run(tmp_path, task, "w", overrides={"optim_wrapper.accumulative_counts": 2})


def test_resuming_with_other_settings_is_refused(tmp_path: Path, task: StoredTask) -> None:
    run(tmp_path, task, "w", overrides={"train_cfg.max_epochs": 1})
    changes: list[tuple[Overrides, str]] = [
        ({"seed": 3}, "seed"),
        ({"train_cfg.iterations_per_epoch": 4}, "iterations"),
    ]
    for overrides, message in changes:
        with pytest.raises(ValueError, match=rf"last\.pth.*{message}"):
            run(tmp_path, task, "w", overrides={**overrides, "resume": True})


def test_a_training_goes_on_from_the_start_that_it_had(tmp_path: Path, task: StoredTask) -> None:
    start, other = tmp_path / "first" / BEST, tmp_path / "second" / BEST
    run(tmp_path, task, "first")
    run(tmp_path, task, "second", overrides={"optim_wrapper.optimizer.lr": 0.01})
    begun: Overrides = {"init_from": {"checkpoint": str(start)}, "train_cfg.max_epochs": 4}
    extra = "plateau = None\ncustom_hooks = [dict(type='InterruptHook', epoch=1)]\n"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, task, "w", extra, begun)
    again: Overrides = {**begun, "plateau": None, "resume": True}
    with pytest.raises(ValueError, match=r"differs from this one in start .*--allow start"):
        run(tmp_path, task, "w", overrides={**again, "init_from": {"checkpoint": str(other)}})
    start.write_bytes(other.read_bytes())  # as where the stage before was trained again
    with pytest.raises(ValueError, match="in start "):
        run(tmp_path, task, "w", overrides=again)
    start.unlink()  # what is not there any more cannot be held against it
    last = run(tmp_path, task, "w", overrides=again)
    assert last["meta"]["epoch"] == 4
    assert len(last["meta"]["settings"]["start"]) == 64


def test_a_start_that_knows_the_selection_cases_is_told_of(
    tmp_path: Path, task: StoredTask, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, task, "first", overrides={"train_cfg.max_epochs": 1})
    begun: Overrides = {"init_from": {"checkpoint": str(tmp_path / "first" / BEST)}, "train_cfg.max_epochs": 1}
    capsys.readouterr()
    told = []
    for seed in range(6):
        last = run(tmp_path, task, f"seed_{seed}", overrides={**begun, "seed": seed})
        selection = set(last["meta"]["lineage"]["selection"])
        trained = set(read_checkpoint(tmp_path / "first" / LAST)["meta"]["lineage"]["training"])
        said = "cases that select the checkpoint here" in capsys.readouterr().out
        assert said == bool(selection & trained)
        told.append(said)
    assert set(told) == {False, True}


def with_empty(task: StoredTask, copy: Path, case_ids: Sequence[str]) -> Path:
    """A copy of a task where these cases have no foreground."""
    shutil.copytree(task.directory, copy)
    for case_id in case_ids:
        case = task.case(case_id)
        empty = dataclasses.replace(case.properties, class_places={})
        label = np.zeros_like(case.read_label())
        write_stored_case(copy / "cases" / case_id, case.read_image(), label, empty)
    return copy


ATTACKED: Overrides = {"validation.attack": {"type": "PGD", "num_iterations": 2}, "validation.monitor": "robust_dice"}


@pytest.mark.parametrize("overrides", [{}, {**ATTACKED, "validation.max_volumes": 0}])
def test_selection_cases_that_hold_nothing_are_refused(tmp_path: Path, task: StoredTask, overrides: Overrides) -> None:
    selected = split_of(tiny_config(tmp_path, task.directory, tmp_path / "w"), task)[1]
    copy = with_empty(task, tmp_path / "task", selected)
    with pytest.raises(ValueError, match=r"none of the cases that select the checkpoint \(case_0.*selection_f"):
        train(tiny_config(tmp_path, copy, tmp_path / "w", overrides=overrides), copy)


@pytest.mark.parametrize("empty", [0, 1])
@pytest.mark.parametrize("max_volumes", [0, None])
def test_cases_that_hold_nothing_are_not_attacked_in_place_of_others(
    tmp_path: Path, task: StoredTask, empty: int, max_volumes: int | None
) -> None:
    overrides = {**ATTACKED, "validation.max_attacked": 1, "validation.max_volumes": max_volumes}
    selected = split_of(tiny_config(tmp_path, task.directory, tmp_path / "w"), task)[1]
    assert len(selected) == 2
    copy = with_empty(task, tmp_path / "task", [selected[empty]])
    train(tiny_config(tmp_path, copy, tmp_path / "w", overrides={**overrides, "train_cfg.max_epochs": 1}), copy)
    assert "score" in read_checkpoint(tmp_path / "w" / BEST)["meta"]["metrics"]


def test_a_mean_of_what_is_not_measured_chooses_nothing(tmp_path: Path, task: StoredTask) -> None:
    overrides = {**ATTACKED, "validation.monitor": "mean", "validation.max_volumes": 0}
    with pytest.raises(ValueError, match=r"monitor is 'mean', which needs validation\.max_volumes of at least 1"):
        run(tmp_path, task, "w", overrides=overrides)


def test_cases_that_are_attacked_are_those_that_dice_has_opened(tmp_path: Path, task: StoredTask) -> None:
    config = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides=ATTACKED)
    validation = build_runner(config, task).train_loop.validation
    opened = {id(case) for case in validation.volumes.cases}
    assert validation.attacked
    assert {id(case) for case in validation.attacked} <= opened


def test_robust_validation_chooses_by_the_mean(tmp_path: Path, task: StoredTask) -> None:
    attack: Overrides = {"validation.attack": {"type": "PGD", "num_iterations": 2}, "validation.monitor": "mean"}
    record = run(tmp_path, task, "w", overrides={**attack, "train_cfg.max_epochs": 1})["train_loop"]["history"][0]
    assert record["score"] == pytest.approx((record["dice"] + record["robust_dice"]) / 2)
    assert record["robust_loss"] >= record["single_step_loss"] * 0.99


@HOOKS.register_module()
class BreakHook(Hook):
    """What a last step does that is too long: the loss before it is finite, the weights after it are not."""

    def after_train_iter(
        self, runner: TrainingRunner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if runner.epoch == 1 and batch_idx == 2:
            next(runner.bare_model.parameters()).data.fill_(torch.nan)


@pytest.mark.parametrize("num_epochs", [2, 3])
def test_broken_weights_end_the_training_and_are_not_written(tmp_path: Path, task: StoredTask, num_epochs: int) -> None:
    extra = 'plateau = None\ncustom_hooks = [dict(type="BreakHook")]\n'
    with pytest.raises(ValueError, match=r"weights such as backbone.* are not finite: lower the learning rate"):
        run(tmp_path, task, "w", extra, {"train_cfg.max_epochs": num_epochs})
    last = read_checkpoint(tmp_path / "w" / LAST)
    assert last["meta"]["epoch"] == 1
    assert all(value.isfinite().all() for value in last["state_dict"].values())
    assert not (tmp_path / "w" / "finished.json").exists()


@pytest.mark.parametrize(("intervals", "expected"), [((1, 10), (1, 2)), ((10, 20), (2, 4)), ((2, 8), (1, 1))])
def test_both_intervals_of_validation_are_divided_by_the_replays(
    tmp_path: Path, task: StoredTask, intervals: tuple[int, int], expected: tuple[int, int]
) -> None:
    overrides: Overrides = {"validation.interval": intervals[0], "validation.volume_interval": intervals[1]}
    free = 'trainer = dict(type="FreeTrainer", num_replays=5)\n'
    validation = build_runner(
        tiny_config(tmp_path, task.directory, tmp_path / "w", free, overrides), task
    ).train_loop.validation
    assert (validation.interval, validation.volume_interval) == expected


def test_every_task_and_fold_has_its_own_work_directory(tmp_path: Path, task: StoredTask) -> None:
    config = tiny_config(tmp_path, task.directory, tmp_path / "w")
    config.work_dir, config.fold = None, 2
    assert work_dir_of(config) == Path("work_dirs/tiny/Task99_Tiny_fold2")


def assert_equal(first: Any, second: Any) -> None:
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            assert_equal(first[key], second[key])
    elif isinstance(first, list | tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other)
    else:
        assert first == second
