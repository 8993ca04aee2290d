import dataclasses
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

from rogseg.preprocessing import (
    Volume,
    case_job,
    digest_case,
    digest_files,
    find_shipped_plan,
    preprocess_task,
    read_image,
    refuse_changed_sources,
    source_digest,
    touched_since_stored,
)
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


def test_what_an_earlier_version_read_wrongly_is_refused_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file (x, y, z, 1) per channel: each was written over the first channel, and the others held anything."""
    raw, shape = tmp_path / "Two", (10, 11, 12)
    for number in range(3):
        for channel in range(2):
            save(raw / f"imagesTr/case_{number}_000{channel}.nii.gz", noise((*shape, 1), 10 * number + channel))
        label = np.zeros(shape, np.uint8)
        label[3:6, 3:6, 3:6] = 1
        save(raw / f"labelsTr/case_{number}.nii.gz", label)
    index = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "organ": 1}}
    (raw / "dataset.json").write_text(json.dumps({**index, "numTraining": 3, "file_ending": ".nii.gz"}))
    with monkeypatch.context() as earlier:
        earlier.setattr(source_digest, "_was_misread", lambda images: False)

        def read(paths: list[Path], num_channels: int) -> Volume:
            volume = read_image(paths, num_channels)
            return dataclasses.replace(volume, array=volume.array[::-1].copy())

        earlier.setattr(case_job, "read_image", read)
        task = preprocess_task(raw, tmp_path / "out")
    wrong = task.case("case_0").read_image()
    with pytest.raises(ValueError, match=r"the raw files of case_0 in .* have changed since"):
        refuse_changed_sources(task, touched_since_stored(task, ["case_0"]))
    healed = preprocess_task(raw, tmp_path / "out")
    refuse_changed_sources(healed, touched_since_stored(healed, healed.case_ids))
    assert not np.array_equal(healed.case("case_0").read_image(), wrong)
    times = _times(healed)
    assert _times(preprocess_task(raw, tmp_path / "out")) == times


def test_the_digest_of_a_case_is_that_of_its_files_where_every_version_reads_it_alike(tmp_path: Path) -> None:
    one, two = (save(tmp_path / f"a_{number}.nii.gz", noise((8, 8, 8), number)) for number in range(2))
    both = save(tmp_path / "both.nii.gz", noise((8, 8, 8, 2), 3))
    for images in ([one], [one, two], [both]):
        assert digest_case(images, two) == digest_files([*images, two])
    assert digest_case([both], None) == digest_files([both])
