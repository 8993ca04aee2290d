import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rogseg.preprocessing import find_shipped_plan, preprocess_task
from rogseg.storage import StoredTask
from tests.unit.preprocessing.raw_files import noise, save, write_task

ROOT = Path(__file__).resolve().parents[3]


def _times(task: StoredTask) -> dict[str, int]:
    return {key: (task.directory / "cases" / key / "case.json").stat().st_mtime_ns for key in task.case_ids}


def _assert_equal(first: StoredTask, second: StoredTask) -> None:
    assert first.plan == second.plan
    assert first.case_ids == second.case_ids
    for name in ("plan.json", "fingerprint.json", "splits.json"):
        assert (first.directory / name).read_bytes() == (second.directory / name).read_bytes()
    for key in first.case_ids:
        one, other = first.case(key), second.case(key)
        assert one.properties == other.properties
        assert np.array_equal(one.read_image(), other.read_image())
        assert one.has_label == other.has_label
        if one.has_label:
            assert np.array_equal(one.read_label(), other.read_label())  # type: ignore[arg-type]


def test_own_data_get_a_plan_and_every_case_is_stored(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    task = preprocess_task(raw, tmp_path / "out")
    assert task.plan.name == "Mine"
    assert task.plan.intensity_source == "computed"
    assert task.plan.spacing == (1.0, 1.0, 2.0)
    assert task.plan.channels[0].rescale
    assert task.case_ids == tuple(f"case_{number}" for number in range(5))
    assert not task.case("case_4").has_label
    assert task.case("case_2").shape == (1, 18, 18, 12)
    assert sorted(len(task.folds(fold).validation) for fold in range(task.num_folds)) == [1, 1, 1, 1]
    assert task.fingerprint["num_cases"] == 3


def test_two_workers_give_what_one_gives_and_a_rerun_redoes_nothing(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    first = preprocess_task(raw, tmp_path / "one")
    second = preprocess_task(raw, tmp_path / "two", num_workers=2, plan=first.plan)
    _assert_equal(first, second)
    times = _times(first)
    assert _times(preprocess_task(raw, tmp_path / "one")) == times


def test_a_changed_or_removed_source_is_noticed(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    before = preprocess_task(raw, tmp_path / "out")
    plan, times = before.plan, _times(before)
    label = json.loads((raw / "dataset.json").read_text())
    save(raw / "imagesTr" / "case_1.nii.gz", noise((17, 18, 12), 99), np.diag([1.0, 1.0, 2.0, 1.0]))
    label["test"] = []
    (raw / "dataset.json").write_text(json.dumps(label))
    after = preprocess_task(raw, tmp_path / "out", plan=plan)
    changed = {key for key, when in _times(after).items() if times[key] != when}
    assert changed == {"case_1"}
    assert after.case_ids == tuple(f"case_{number}" for number in range(4))


def test_all_bad_cases_are_listed_and_nothing_half_written_stays(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine", num_training=5)
    save(raw / "imagesTr" / "case_1.nii.gz", np.ones((17, 18, 12), np.float32), np.diag([1.0, 1.0, 2.0, 1.0]))
    (raw / "labelsTr" / "case_3.nii.gz").unlink()
    (raw / "imagesTs" / "case_5.nii.gz").write_bytes(b"no")
    with pytest.raises(
        ValueError, match=r"3 bad cases(?s:.*)case_1: .*constant(?s:.*)case_3: .*(?s:.*)case_5: .*not a"
    ):
        preprocess_task(raw, tmp_path / "out")
    assert not (tmp_path / "out" / "plan.json").exists()
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_plan_for_other_data_is_refused(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    plan = find_shipped_plan("Task05_Prostate", ROOT / "configs" / "_base_" / "tasks")
    assert plan is not None
    with pytest.raises(ValueError, match=r"dataset.json: the plan of task 'Task05_Prostate' is for 2 channels"):
        preprocess_task(raw, tmp_path / "out", plan=plan)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"modality": {"0": "adc", "1": "T2"}}, "is for T2, the data are adc"),
        ({"modality": {"0": "T2", "1": "CT"}}, "is for ADC, the data are CT"),
        ({"labels": {"0": "background", "1": "tz", "2": "PZ"}}, "calls the label 1 'PZ', the data call it 'tz'"),
    ],
)
def test_a_plan_for_another_order_of_channels_or_labels_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    raw = write_task(tmp_path / "Mine")
    index = json.loads((raw / "dataset.json").read_text())
    names = {"modality": {"0": "T2", "1": "ADC"}, "labels": {"0": "background", "1": "PZ", "2": "TZ"}}
    (raw / "dataset.json").write_text(json.dumps({**index, **names, **changed}))
    plan = find_shipped_plan("Task05_Prostate", ROOT / "configs" / "_base_" / "tasks")
    with pytest.raises(ValueError, match=message):
        preprocess_task(raw, tmp_path / "out", plan=plan)


def test_kinds_of_classes_come_from_the_index(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    index = json.loads((raw / "dataset.json").read_text())
    (raw / "dataset.json").write_text(json.dumps({**index, "class_kinds": {"tumour": "lesion"}}))
    plan = preprocess_task(raw, tmp_path / "out").plan
    assert [entry.kind for entry in plan.classes] == ["organ", "lesion"]
    (raw / "dataset.json").write_text(json.dumps({**index, "class_kinds": {"tumor": "lesion"}}))
    with pytest.raises(ValueError, match=r"class_kinds names \['tumor'\]"):
        preprocess_task(raw, tmp_path / "out")


def test_ctrl_c_is_one_line_even_with_workers(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine", num_training=24)
    command = [sys.executable, str(ROOT / "tools" / "preprocess.py"), str(raw), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, "--num-workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/measurements/*.json")) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.strip().endswith("stopped; the same command goes on with the cases that are missing")


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine", num_training=24)
    whole = preprocess_task(raw, tmp_path / "whole")
    out = tmp_path / "killed"
    command = [sys.executable, str(ROOT / "tools" / "preprocess.py"), str(raw), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--plan", str(whole.directory / "plan.json"), "--num-workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list(out.glob("cases/case_*/case.json"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # the workers notice that their parent is gone
    done = {path: path.stat().st_mtime_ns for path in out.glob("cases/case_*/case.json")}
    assert len(done) >= 4
    assert not (out / "plan.json").exists()  # else the run was over before it was killed
    task = preprocess_task(raw, out, plan=whole.plan)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert not list(out.rglob(".*"))
    _assert_equal(task, whole)
