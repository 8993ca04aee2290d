"""What is trained on is what lies in the raw task, as far as that is still there."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from rogseg.engine.training.train import train
from rogseg.preprocessing import preprocess_task, touched_since_stored
from tests.raw_tasks import CASE_IDS, TASK, raw_plan, write_raw_task
from tests.tiny_training import tiny_config


def test_a_label_that_was_mended_is_not_trained_on_as_it_was(tmp_path: Path) -> None:
    raw, stored = write_raw_task(tmp_path, "ct"), tmp_path / "stored" / TASK
    task = preprocess_task(raw, stored, plan=raw_plan("ct"))
    assert touched_since_stored(task, CASE_IDS) == []
    overrides = {"train_cfg.max_epochs": 1, "train_cfg.iterations_per_epoch": 1}
    seen, unseen = task.folds(0).train[0], task.folds(0).validation[0]
    for case_id in (seen, unseen):
        label = raw / "labelsTr" / f"{case_id}.nii.gz"
        file = nibabel.load(label)
        mended = np.asanyarray(file.dataobj).copy()
        mended[0, 0, 0] = 1
        nibabel.save(nibabel.Nifti1Image(mended, file.affine, file.header), label)
    assert sorted(touched_since_stored(task, CASE_IDS)) == sorted([seen, unseen])
    with pytest.raises(ValueError, match=rf"the raw files of {seen} in .* have changed since they were stored"):
        train(tiny_config(tmp_path, stored, tmp_path / "w", overrides=overrides), stored)
    preprocess_task(raw, stored)
    first, second = task.folds(0).train[:2]
    (raw / "imagesTr" / f"{first}.nii.gz").touch()  # newer, and the same
    (raw / "imagesTr" / f"{second}.nii.gz").write_text("cut")
    (raw / "labelsTr" / f"{second}.nii.gz").unlink()  # who needs the room may take raw files away
    config = tiny_config(tmp_path, stored, tmp_path / "w", overrides=overrides)
    assert train(config, stored).epoch == 1
