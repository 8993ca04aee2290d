"""The planner and the shipped plans against the published facts."""

import json
from pathlib import Path
from typing import Any

import pytest

from rogseg.preprocessing.planner import plan_geometry
from rogseg.task_plan import TaskPlan
from tests.shared_data import shared_path

TASKS = Path(__file__).resolve().parents[2] / "configs" / "_base_" / "tasks"
SHORT_NAMES = {
    "braintumour": "Task01_BrainTumour",
    "heart": "Task02_Heart",
    "liver": "Task03_Liver",
    "hippocampus": "Task04_Hippocampus",
    "prostate": "Task05_Prostate",
    "lung": "Task06_Lung",
    "pancreas": "Task07_Pancreas",
    "hepaticvessel": "Task08_HepaticVessel",
    "spleen": "Task09_Spleen",
    "colon": "Task10_Colon",
}


def _facts(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(shared_path("facts/msd_tasks.json").read_text())[name]
    return facts


@pytest.mark.parametrize("name", SHORT_NAMES.values())
def test_the_planner_gives_the_published_plan(name: str) -> None:
    facts = _facts(name)
    measured, expected = facts["fingerprint"], facts["plan"]
    geometry = plan_geometry(
        measured["median_shape_voxels"],
        measured["smallest_class_mean_bbox_voxels"],
        measured["smallest_class_mean_volume_voxels"],
    )
    assert geometry.patch_size == tuple(expected["train_patch"])
    assert geometry.crop_size == tuple(expected["crop_before_augmentation"])
    assert geometry.window_size == tuple(expected["inference_window"])
    assert [list(stride) for stride in geometry.strides] == expected["strides_stem_then_first_lattice_step"]


@pytest.mark.parametrize(("short", "name"), SHORT_NAMES.items())
def test_the_shipped_plan_carries_the_published_numbers(short: str, name: str) -> None:
    facts = _facts(name)
    measured, expected = facts["fingerprint"], facts["plan"]
    plan = TaskPlan.load(TASKS / f"{short}.json")
    assert plan.name == name
    assert plan.patch_size == tuple(expected["train_patch"])
    assert plan.crop_size == tuple(expected["crop_before_augmentation"])
    assert plan.window_size == tuple(expected["inference_window"])
    assert [list(stride) for stride in plan.strides] == expected["strides_stem_then_first_lattice_step"]
    assert list(plan.spacing) == measured["median_spacing_mm"]
    assert plan.intensity_source == "published"
    assert [channel.modality for channel in plan.channels] == facts["modalities"]
    assert [channel.lower for channel in plan.channels] == measured["intensity_percentile_00_5"]
    assert [channel.upper for channel in plan.channels] == measured["intensity_percentile_99_5"]
    assert [channel.mean for channel in plan.channels] == measured["intensity_mean"]
    assert [channel.std for channel in plan.channels] == measured["intensity_std"]
    assert all(channel.rescale == (channel.modality != "CT") for channel in plan.channels)
    assert plan.class_names == tuple(facts["labels"][1:])
    assert plan.label_values == tuple(range(len(facts["labels"])))


def test_the_light_plan_differs_in_its_strides_only() -> None:
    full, light = TaskPlan.load(TASKS / "hippocampus.json"), TaskPlan.load(TASKS / "hippocampus_light.json")
    assert light.strides == ((1, 1, 1), (2, 2, 2), (2, 2, 2))
    assert {**light.to_json(), "strides": None} == {**full.to_json(), "strides": None}
