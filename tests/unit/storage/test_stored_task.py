from pathlib import Path

import numpy as np
import pytest

from rogseg.storage import Fold, StoredTask, write_folds, write_json_atomic, write_plan
from tests.unit.storage.stored_examples import PLAN, write_example


def test_everything_that_was_written_is_found(tmp_path: Path) -> None:
    write_plan(tmp_path, PLAN)
    write_json_atomic(tmp_path / "fingerprint.json", {"median_spacing": [1.0, 1.0, 2.5]})
    folds = (Fold(("a",), ("b",)), Fold(("b",), ("a",)))
    write_folds(tmp_path, folds)
    written = {name: write_example(tmp_path / "cases" / name) for name in ("b", "a")}
    task = StoredTask(tmp_path)
    assert task.plan == PLAN
    assert task.fingerprint == {"median_spacing": [1.0, 1.0, 2.5]}
    assert task.case_ids == ("a", "b")
    assert (task.folds(0), task.folds(1)) == folds
    assert task.num_folds == 2
    np.testing.assert_array_equal(task.case("a").read_image(), written["a"].read_image())


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no plan\.json.*run tools/preprocess\.py"):
        StoredTask(tmp_path)
    write_plan(tmp_path, PLAN)
    task = StoredTask(tmp_path)
    assert task.case_ids == ()
    with pytest.raises(ValueError, match="not a stored case"):
        task.case("a")
    with pytest.raises(ValueError, match=r"splits\.json: cannot be read"):
        task.folds(0)
    write_folds(tmp_path, [Fold(("a",), ("b",))])
    with pytest.raises(ValueError, match="no fold 1; there are folds 0 to 0"):
        task.folds(1)
