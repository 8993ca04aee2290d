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
    with pytest.raises(ValueError, match=r"no plan\.json.*run rogseg preprocess"):
        StoredTask(tmp_path)
    write_plan(tmp_path, PLAN)
    task = StoredTask(tmp_path)
    assert task.case_ids == ()
    with pytest.raises(ValueError, match="not a stored case"):
        task.case("a")
    with pytest.raises(ValueError, match=r"splits\.json: no such file; run rogseg preprocess"):
        task.folds(0)
    write_folds(tmp_path, [Fold(("a",), ("b",))])
    with pytest.raises(ValueError, match="no fold 1; there are folds 0 to 0"):
        task.folds(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("null", "must hold one key, folds"),
        ("[]", "must hold one key, folds"),
        ('{"folds": {}}', "folds must be a list"),
        ('{"folds": []}', "holds no fold"),
        ('{"folds": [{"train": ["a"]}]}', r"folds\[0\]: missing keys \['validation'\]"),
        ('{"folds": [{"train": ["a", 3], "validation": ["b"]}]}', r"folds\[0\].train\[1\] must be a text, got 3"),
        ('{"folds": [{"train": ["a"], "validation": ["a"]}]}', r"\['a'\] are in training and in validation"),
        ('{"folds": [{"train": ["../../x"], "validation": ["b"]}]}', "cannot name a file"),
        ("{", "not usable JSON"),
    ],
)
def test_a_damaged_split_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    write_plan(tmp_path, PLAN)
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(ValueError, match=rf"splits\.json: .*{message}.*bring it back"):
        StoredTask(tmp_path).folds(0)


def test_hidden_and_foreign_files_are_no_cases(tmp_path: Path) -> None:
    write_plan(tmp_path, PLAN)
    write_example(tmp_path / "cases" / "a")
    (tmp_path / "cases" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "cases" / "notes.txt").write_bytes(b"x")
    partial = tmp_path / "cases" / ".rogseg-partial-b-12345678"
    partial.mkdir()
    (partial / "case.json").write_text("{}")
    assert StoredTask(tmp_path).case_ids == ("a",)


@pytest.mark.parametrize("case_id", ["..", ".", "", "a/b", "../a", "a\0"])
def test_ids_do_not_leave_the_folder(tmp_path: Path, case_id: str) -> None:
    write_plan(tmp_path, PLAN)
    with pytest.raises(ValueError, match="cannot name a file"):
        StoredTask(tmp_path).case(case_id)
