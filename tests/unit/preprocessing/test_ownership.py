"""What preprocessing keeps, redoes and never touches in the folder of a stored task."""

import dataclasses
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from rogseg.preprocessing import kept_plan, preprocess_task, refuse_changed_sources
from rogseg.preprocessing.plan_wishes import PlanWishes, network_stride
from rogseg.preprocessing.shipped_plans import choose_plan
from rogseg.storage import StoredTask, read_folds
from rogseg.task_plan import TaskPlan
from tests.unit.preprocessing.raw_files import cube_label, noise, save, write_task


def _silent(_: str) -> None:
    """Say nothing."""


def _made(task: StoredTask) -> dict[str, int]:
    return {key: (task.directory / "cases" / key / "case.json").stat().st_mtime_ns for key in task.case_ids}


def _with_case(raw: Path, name: str) -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    label = cube_label((16, 18, 12))
    save(raw / "imagesTr" / f"{name}.nii.gz", noise(label.shape, 77) + 50.0 * label, affine)
    save(raw / "labelsTr" / f"{name}.nii.gz", label, affine)
    index = json.loads((raw / "dataset.json").read_text())
    entry = {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
    (raw / "dataset.json").write_text(json.dumps({**index, "training": [*index["training"], entry]}))


@pytest.mark.parametrize("what", ["flipped", "cut", "deleted", "label deleted", "record flipped", "record null"])
def test_what_is_damaged_is_made_again_and_nothing_else(tmp_path: Path, what: str) -> None:
    task = preprocess_task(write_task(tmp_path / "Mine"), tmp_path / "out", say=_silent)
    before, image = _made(task), task.case("case_1").read_image()
    path = task.directory / "cases" / "case_1" / ("case.json" if "record" in what else "image.b2nd")
    content = path.read_bytes()
    if what == "label deleted":
        path.with_name("label.b2nd").unlink()
    elif what == "deleted":
        path.unlink()
    else:
        place = len(content) // 3
        flipped = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
        path.write_bytes(
            {"cut": content[:place], "record null": b"null"}.get(what, flipped),
        )
    again = preprocess_task(tmp_path / "Mine", tmp_path / "out", say=_silent)
    assert {key for key, when in _made(again).items() if before[key] != when} == {"case_1"}
    again.case("case_1").verify()
    assert np.array_equal(again.case("case_1").read_image(), image)
    assert again.case("case_1").has_label


def test_one_more_case_joins_the_split_and_the_plan_stays(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine", num_training=6)
    first = preprocess_task(raw, tmp_path / "out", say=_silent)
    plan, folds, before = first.plan, read_folds(first.directory), _made(first)
    _with_case(raw, "another")
    second = preprocess_task(raw, tmp_path / "out", say=_silent)
    assert second.plan == plan
    assert {key: when for key, when in _made(second).items() if key != "another"} == before
    for place, fold in enumerate(folds):
        assert set(fold.train) <= set(second.folds(place).train)
        assert set(fold.validation) <= set(second.folds(place).validation)
    assert sum("another" in second.folds(place).validation for place in range(second.num_folds)) == 1
    assert StoredTask(tmp_path / "out").folds(0).added == (
        () if "another" in second.folds(0).validation else ("another",)
    )


def test_files_of_others_stay_and_a_departed_case_goes(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    out = preprocess_task(raw, tmp_path / "out", say=_silent).directory
    mine = [out / "notes.txt", out / "cases" / "notes.txt", out / "cases" / ".DS_Store", out / "measurements" / "a.csv"]
    mine += [out / "cases" / "case_4" / "notes.txt", out / "mine" / "deep" / "a.json"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    index = json.loads((raw / "dataset.json").read_text())
    (raw / "dataset.json").write_text(json.dumps({**index, "test": []}))
    task = preprocess_task(raw, tmp_path / "out", say=_silent)
    assert all(path.read_text() == "mine" for path in mine)
    assert task.case_ids == tuple(f"case_{number}" for number in range(4))
    assert not (out / "cases" / "case_4" / "image.b2nd").exists()
    assert not (out / "measurements" / "case_4.json").exists()


def test_a_moved_raw_task_goes_on_where_it_was(tmp_path: Path) -> None:
    before = _made(preprocess_task(write_task(tmp_path / "a" / "Mine"), tmp_path / "out", say=_silent))
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "Mine").rename(tmp_path / "b" / "Mine")
    assert _made(preprocess_task(tmp_path / "b" / "Mine", tmp_path / "out", say=_silent)) == before
    (tmp_path / "b" / "Mine").rename(tmp_path / "b" / "Other")
    with pytest.raises(ValueError, match=r"holds the task 'Mine' of .*b.Mine, not of .*b.Other"):
        preprocess_task(tmp_path / "b" / "Other", tmp_path / "out", say=_silent)


def test_a_folder_of_an_older_version_is_taken_over_with_its_split(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    out = preprocess_task(raw, tmp_path / "out", say=_silent).directory
    (out / "stored_task.json").unlink()
    splits = (out / "splits.json").read_text().replace("case_0", "case_X").replace("case_1", "case_0")
    (out / "splits.json").write_text(splits.replace("case_X", "case_1"))
    swapped = read_folds(out)
    preprocess_task(raw, tmp_path / "out", say=_silent)
    assert read_folds(out) == tuple(
        dataclasses.replace(f, train=tuple(sorted(f.train)), validation=tuple(sorted(f.validation))) for f in swapped
    )
    shutil.copytree(out, tmp_path / "copy")
    (tmp_path / "copy" / "stored_task.json").unlink()
    for path in (*(raw / "imagesTr").iterdir(), *(raw / "labelsTr").iterdir(), *(raw / "imagesTs").iterdir()):
        path.rename(path.with_name(f"other_{path.name}"))
    (raw / "dataset.json").write_text((raw / "dataset.json").read_text().replace("case_", "other_case_"))
    raw.rename(tmp_path / "Other")
    with pytest.raises(ValueError, match="holds the task 'Mine', not 'Other'"):
        preprocess_task(tmp_path / "Other", tmp_path / "copy", say=_silent)


def test_a_plan_of_ones_own_is_kept_even_through_a_kill(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    plan = preprocess_task(raw, tmp_path / "first", say=_silent).plan
    own = dataclasses.replace(plan, spacing=(2.0, 2.0, 2.0))
    out = preprocess_task(raw, tmp_path / "out", plan=own, say=_silent).directory
    assert choose_plan(raw, None, tmp_path / "none", out)[0] == own
    assert preprocess_task(raw, out, say=_silent).plan == own
    # A run that was killed while it stored the cases has taken plan.json away, and its record says that it did not end.
    record = json.loads((out / "stored_task.json").read_text())
    (out / "stored_task.json").write_text(json.dumps({**record, "finished": False}))
    (out / "plan.json").unlink()
    assert kept_plan(out) == own
    assert preprocess_task(raw, out, say=_silent).plan == own
    # Who takes plan.json away after the end wants another.
    (out / "plan.json").unlink()
    assert kept_plan(out) is None
    assert preprocess_task(raw, out, say=_silent).plan == plan


def test_a_plan_that_is_named_replaces_and_the_difference_is_told(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    plan = preprocess_task(raw, tmp_path / "out", say=_silent).plan
    said: list[str] = []
    own = dataclasses.replace(plan, surface_tolerance=9.0)
    before = _made(StoredTask(tmp_path / "out"))
    task = preprocess_task(raw, tmp_path / "out", plan=own, say=said.append)
    assert task.plan == own
    assert said == [f"the plan in {tmp_path / 'out'} is replaced: surface_tolerance 2.0 -> 9.0"]
    assert _made(task) == before  # nothing that was stored depends on it
    with pytest.raises(ValueError, match="holds the task 'Mine', and the plan is for 'Theirs'"):
        preprocess_task(raw, tmp_path / "out", plan=dataclasses.replace(own, name="Theirs"), say=_silent)


def test_a_changed_source_is_told_where_the_stored_case_is_used(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    task = preprocess_task(raw, tmp_path / "out", say=_silent)
    refuse_changed_sources(task, task.case_ids)
    label = raw / "labelsTr" / "case_1.nii.gz"
    classes = cube_label((17, 18, 12))
    classes[0, 0, 0] = 1
    save(label, classes, np.diag([1.0, 1.0, 2.0, 1.0]))
    refuse_changed_sources(task, ["case_0", "case_2"])
    with pytest.raises(ValueError, match=r"the raw files of case_1 in .*Mine have changed since .*preprocess .* again"):
        refuse_changed_sources(task, task.case_ids)
    refuse_changed_sources(preprocess_task(raw, tmp_path / "out", say=_silent), task.case_ids)
    raw.rename(tmp_path / "gone")
    refuse_changed_sources(task, task.case_ids)


def test_wishes_decide_over_the_data(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    plan = preprocess_task(raw, tmp_path / "plain", say=_silent).plan
    wishes = PlanWishes(spacing=(2.0, 2.0, 4.0))
    coarse = preprocess_task(raw, tmp_path / "out", wishes=wishes, say=_silent)
    assert coarse.plan.spacing == (2.0, 2.0, 4.0)
    assert coarse.case("case_0").shape == (1, 8, 9, 6)
    assert np.prod(coarse.plan.patch_size) < np.prod(plan.patch_size)
    assert preprocess_task(raw, tmp_path / "out", say=_silent).plan == coarse.plan
    steps = network_stride(plan)
    patch = (steps[0] * 3, steps[1] * 2, steps[2])
    asked = PlanWishes(patch_size=patch).applied_to(plan)
    assert (asked.patch_size, asked.window_size) == (patch, patch)
    assert all(crop >= length for crop, length in zip(asked.crop_size, patch, strict=True))


def test_percentiles_take_the_place_of_the_brightest_voxel(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    path = raw / "imagesTr" / "case_1.nii.gz"
    image = nibabel.load(path)
    array = np.asarray(image.dataobj).copy()
    array[0, 0, 0] = 1e6
    save(path, array, image.affine)
    wishes = PlanWishes(percentiles=(1.0, 99.0))
    task = preprocess_task(raw, tmp_path / "out", wishes=wishes, say=_silent)
    assert task.plan.channels[0].percentiles == (1.0, 99.0)
    assert TaskPlan.from_json(task.plan.to_json()) == task.plan
    low, high = np.percentile(array, (1, 99))
    channel, properties = task.plan.channels[0], task.case("case_1").properties
    assert np.isclose(properties.raw_lower[0], low + channel.lower * (high - low))
    assert np.isclose(properties.raw_upper[0], low + channel.upper * (high - low))
    assert properties.notes == ()
    spread = task.case("case_1").read_image().std()
    assert spread > 0.5
    plain = preprocess_task(raw, tmp_path / "plain", say=_silent).case("case_1")
    assert plain.read_image().std() < spread / 10
    assert "look alike" in plain.properties.notes[0]
    before = _made(task)  # the same command goes on
    assert _made(preprocess_task(raw, tmp_path / "out", plan=task.plan, wishes=wishes, say=_silent)) == before
    with pytest.raises(ValueError, match="has intensity numbers already"):
        preprocess_task(raw, tmp_path / "out", plan=task.plan, wishes=PlanWishes(percentiles=(0, 90)), say=_silent)
    with pytest.raises(ValueError, match="percentiles must be two numbers from 0 to 100 in order"):
        PlanWishes(percentiles=(99.0, 1.0))


def test_a_patch_shrinks_until_it_fits_and_no_further() -> None:
    plan = TaskPlan.load(Path(__file__).resolve().parents[3] / "configs" / "_base_" / "tasks" / "liver.json")
    steps = network_stride(plan)

    def voxels(plan: TaskPlan) -> int:
        return int(np.prod(plan.patch_size))

    for most in (voxels(plan), 1_000_000, 200_000):
        small = PlanWishes(fits=lambda plan: voxels(plan) <= most).applied_to(plan)  # noqa: B023
        assert voxels(small) <= most
        assert voxels(small) > most / 3 or small == plan
        assert all(length % step == 0 for length, step in zip(small.patch_size, steps, strict=True))
    with pytest.raises(ValueError, match=r"does not fit even with patches of .*coarser --spacing"):
        PlanWishes(fits=lambda plan: False).applied_to(plan)
    with pytest.raises(ValueError, match="single one at the network's lowest level"):
        PlanWishes(patch_size=steps).applied_to(plan)
