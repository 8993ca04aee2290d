from pathlib import Path

import pytest

from rogseg.engine.training.training_data import build_train_loader
from tests.tiny_task import CASE_IDS, write_tiny_task


def test_an_epoch_without_a_length_is_one_patch_per_case(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path)
    dataset = {"type": "PatchDataset", "patch_size": (8, 8, 8), "crop_size": (8, 8, 8), "transforms": []}
    loader = build_train_loader(task.directory, CASE_IDS[:7], dataset, batch_size=2, num_workers=0)
    assert len(loader) == 3
    with pytest.raises(ValueError, match="iterations_per_epoch is 0"):
        build_train_loader(task.directory, CASE_IDS[:7], dataset, batch_size=2, num_workers=0, iterations_per_epoch=0)
