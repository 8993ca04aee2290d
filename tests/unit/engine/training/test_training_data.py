import dataclasses
from pathlib import Path

import pytest

from rogseg.engine.training.training_data import build_train_loader, ensure_stored_task
from rogseg.sources import PhantomTask, write_phantom_task
from tests.tiny_task import CASE_IDS, tiny_plan, write_tiny_task
from tests.tiny_training import tiny_config


def test_a_missing_or_unfinished_stored_task_is_preprocessed_from_the_raw_one(tmp_path: Path) -> None:
    plan = dataclasses.replace(tiny_plan(), spacing=(1.6, 1.6, 5.0))
    write_phantom_task(tmp_path / "raw" / plan.name, PhantomTask(shape=(24, 24, 24), num_training=3, num_test=0))
    donor = write_tiny_task(tmp_path / "donor")
    roots = {"data_root": str(tmp_path / "raw"), "stored_root": str(tmp_path / "stored")}
    config = tiny_config(tmp_path, donor.directory, tmp_path / "w", overrides=roots)
    config.task = plan.to_json()
    task = ensure_stored_task(config)
    assert task.directory == tmp_path / "stored" / plan.name
    assert task.plan == plan
    assert len(task.case_ids) == 3
    (task.directory / "cases" / task.case_ids[0] / "case.json").unlink()
    assert len(ensure_stored_task(config).case_ids) == 3


def test_an_epoch_without_a_length_is_one_patch_per_case(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path)
    dataset = {"type": "PatchDataset", "patch_size": (8, 8, 8), "crop_size": (8, 8, 8), "transforms": []}
    loader = build_train_loader(task.directory, CASE_IDS[:7], dataset, batch_size=2, num_workers=0)
    assert len(loader) == 3
    with pytest.raises(ValueError, match="iterations_per_epoch is 0"):
        build_train_loader(task.directory, CASE_IDS[:7], dataset, batch_size=2, num_workers=0, iterations_per_epoch=0)
