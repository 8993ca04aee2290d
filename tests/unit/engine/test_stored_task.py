import dataclasses
import shutil
from pathlib import Path

import pytest

from rogseg.engine.stored_task import ensure_stored_task
from rogseg.preprocessing import preprocess_task
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import StoredTask, write_plan
from tests.raw_tasks import TASK, raw_plan, write_raw_task
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
    assert task.plan == dataclasses.replace(plan, orientation="RAS")
    assert len(task.case_ids) == 3
    (task.directory / "cases" / task.case_ids[0] / "case.json").unlink()
    assert len(ensure_stored_task(config).case_ids) == 3


def test_missing_data_come_with_the_command_that_gets_them(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = tiny_config(
        tmp_path, task.directory, tmp_path / "w", overrides={"data_root": "nowhere", "stored_root": "nowhere"}
    )
    with pytest.raises(ValueError, match=r"Task99_Tiny is neither stored in /\S*nowhere/Task99_Tiny nor raw"):
        ensure_stored_task(config)


def test_cases_that_nobody_needs_may_be_missing(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={"data_root": "nowhere"})
    for case_id in CASE_IDS[:8]:
        shutil.rmtree(task.case_directory(case_id))
    found = ensure_stored_task(config, task.directory, needed=lambda fold: fold.validation)
    assert found.case_ids == CASE_IDS[8:]
    with pytest.raises(ValueError, match="neither stored"):
        ensure_stored_task(config, task.directory)


def test_ids_that_no_fold_knows_are_left_to_the_caller(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={"data_root": "nowhere"})
    found = ensure_stored_task(config, task.directory, needed=lambda _: ("case_misspelt",))
    with pytest.raises(ValueError, match="case_misspelt: not a stored case"):
        found.case("case_misspelt")


@pytest.mark.parametrize("key", ["spacing", "channels", "orientation"])
def test_a_plan_that_was_edited_needs_its_cases_made_anew(tmp_path: Path, key: str) -> None:
    raw, stored = write_raw_task(tmp_path, "ct"), tmp_path / "stored" / TASK
    plan = preprocess_task(raw, stored, plan=raw_plan("ct")).plan
    config = tiny_config(tmp_path, stored, tmp_path / "w")
    assert ensure_stored_task(config, stored).plan == plan
    channel = dataclasses.replace(plan.channels[0], upper=150.0)
    edited = {
        "spacing": dataclasses.replace(plan, spacing=(2.0, 1.0, 1.0)),
        "channels": dataclasses.replace(plan, channels=(channel,)),
        "orientation": dataclasses.replace(plan, orientation="PSR"),
    }
    write_plan(stored, edited[key])
    config.pop("task")
    with pytest.raises(ValueError, match="the case small_0 was made with another plan"):
        ensure_stored_task(config, stored)
    preprocess_task(raw, stored)
    assert getattr(ensure_stored_task(config, stored).plan, key) == getattr(edited[key], key)
    write_plan(stored, dataclasses.replace(StoredTask(stored).plan, surface_tolerance=3.0))
    config.pop("task")
    ensure_stored_task(config, stored)  # nothing that is stored depends on it
