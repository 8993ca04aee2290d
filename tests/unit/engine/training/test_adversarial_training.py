"""Free adversarial training through the engine: from the stage before it, killed and resumed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rogseg.attacks import L2Threat
from rogseg.engine.config.load import load_config
from rogseg.engine.training.train import build_runner, train
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.engine.training.work_dir import FINISHED
from rogseg.storage import CaseProperties, Fold, StoredTask, write_folds, write_plan, write_stored_case
from rogseg.task_plan import TaskPlan
from rogseg.trainers import FreeTrainer

CONFIGS = Path(__file__).resolve().parents[4] / "configs" / "rog"
SHAPE = (16, 32, 16)
CASES = [f"case_{index}" for index in range(8)]


class KilledError(Exception):
    """Stands for kill -9."""


def store_task(folder: Path) -> Path:
    plan_file = CONFIGS.parent / "_base_" / "tasks" / "hippocampus_light.json"
    data = {**json.loads(plan_file.read_text())["task"], "patch_size": SHAPE, "crop_size": SHAPE, "window_size": SHAPE}
    plan = TaskPlan.from_json(data)
    lower, upper = plan.channels[0].box
    generator = np.random.default_rng(0)
    for case_id in CASES:
        label = np.zeros(SHAPE, np.uint8)
        label[4:8, 8:16, 4:12], label[8:12, 16:24, 4:12] = 1, 2
        image = np.where(label > 0, upper, lower)[None] * 0.5 + generator.normal(0, 0.1, (1, *SHAPE))
        properties = CaseProperties(
            case_id=case_id,
            raw_shape=SHAPE,
            raw_affine=tuple(tuple(row) for row in np.eye(4).tolist()),
            raw_spacing=(1.0, 1.0, 1.0),
            network_shape=SHAPE,
            raw_lower=(0.0,),
            raw_upper=(1.0,),
            box_lower=(lower,),
            box_upper=(upper,),
            source_digest="",
            class_places={k: [int(np.ravel_multi_index(p, SHAPE))] for k, p in ((1, (6, 12, 8)), (2, (10, 20, 8)))},
        )
        write_stored_case(folder / "cases" / case_id, image.clip(lower, upper).astype(np.float32), label, properties)
    write_plan(folder, plan)
    write_folds(folder, [Fold(tuple(CASES[:6]), tuple(CASES[6:]))])
    return folder


def write_configs(folder: Path) -> Path:
    """A standard stage and a Free one after it, small enough to run in seconds."""
    small = """
task = dict(patch_size=[16, 32, 16], crop_size=[16, 32, 16], window_size=[16, 32, 16])
model = dict(backbone=dict(channels=4), head=dict(channels=4))
train_data = dict(batch_size=2, num_workers=0)
validation = dict(max_volumes=1, max_patches=1)
"""
    (folder / "stage.py").write_text(
        f"_base_ = '{CONFIGS}/rog_standard_hippocampus_light.py'\n{small}\n"
        "train_cfg = dict(max_epochs=2, iterations_per_epoch=2)\n"
    )
    free = folder / "free.py"
    free.write_text(
        f"_base_ = '{CONFIGS}/rog_freeat_hippocampus_light.py'\n{small}\n"
        "trainer = dict(num_replays=2, clean_loss_interval=1)\n"
        "train_cfg = dict(max_epochs=6, iterations_per_epoch=2)\n"
        "validation.update(attack=dict(num_iterations=1), max_attacked=1)\n"
        f"init_from = dict(stage='{folder}/stage.py', zoo=None)\n"
    )
    return free


def run(config: Path, task: Path, work_dir: Path, **overrides: Any) -> TrainingRunner:
    stage = config.parent / "stage"
    overrides = {"init_from.work_dir": str(stage), "work_dir": str(work_dir), "device": "cpu", **overrides}
    return train(load_config(config, overrides, task), task)


def test_a_killed_free_training_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task, config = store_task(tmp_path / "stored"), write_configs(tmp_path)
    whole = run(config, task, tmp_path / "whole")
    assert "has not been trained" in capsys.readouterr().out
    assert (tmp_path / "stage" / FINISHED).is_file()
    assert whole.train_loop.max_epochs == 3  # 6 / m

    step = FreeTrainer.step

    def killed_step(self: FreeTrainer, *arguments: Any) -> Any:
        if self.num_steps == 5:
            raise KilledError
        return step(self, *arguments)

    monkeypatch.setattr(FreeTrainer, "step", killed_step)
    with pytest.raises(KilledError):
        run(config, task, tmp_path / "killed")
    monkeypatch.undo()
    assert "starting from the best checkpoint" in capsys.readouterr().out
    assert not (tmp_path / "killed" / FINISHED).exists()
    resumed = run(config, task, tmp_path / "killed", resume=True)

    one, other = whole.bare_model.state_dict(), resumed.bare_model.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(whole.train_loop.trainer.kept, resumed.train_loop.trainer.kept)
    for before, after in zip(whole.train_loop.history, resumed.train_loop.history, strict=True):
        timed = {"seconds", "data_wait", "val_seconds"}
        assert {key: before[key] for key in before if key not in timed} == {
            key: after[key] for key in after if key not in timed
        }
    logged = {"clean_loss", "adversarial_loss", "delta_over_epsilon", "share_at_surface"}
    measured = {"dice", "robust_dice", "robust_loss", "single_step_loss", "score"}
    assert logged | measured <= set(whole.train_loop.history[-1])
    assert whole.train_loop.history[-1]["delta_over_epsilon"] > 0.1


def test_the_checkpoint_is_chosen_within_the_ball_of_the_training(tmp_path: Path) -> None:
    task, config = store_task(tmp_path / "stored"), write_configs(tmp_path)
    changed = {"trainer.threat": "L2Threat", "trainer.epsilon": 0.02, "device": "cpu", "work_dir": str(tmp_path / "l2")}
    runner = build_runner(load_config(config, changed, task), StoredTask(task))
    validation = runner.train_loop.validation
    assert validation is not None
    assert (validation.threat, validation.epsilon) == (L2Threat, 0.02)
