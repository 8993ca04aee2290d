"""Parameters and multiply-adds of ROG under the ten published plans."""

import json
from typing import Any

import pytest

from rogseg.estimation.cost_estimate import count_macs, count_parameters
from rogseg.models import Segmentor
from tests.shared_data import shared_path

TASKS = [
    "Task01_BrainTumour",
    "Task02_Heart",
    "Task03_Liver",
    "Task04_Hippocampus",
    "Task05_Prostate",
    "Task06_Lung",
    "Task07_Pancreas",
    "Task08_HepaticVessel",
    "Task09_Spleen",
    "Task10_Colon",
]


def facts(task: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(shared_path("facts/msd_tasks.json").read_text())[task]
    return content


def build(fact: dict[str, Any]) -> Segmentor:
    strides = fact["plan"]["strides_stem_then_first_lattice_step"]
    backbone = {"type": "ROG", "in_channels": len(fact["modalities"]), "strides": strides}
    head = {"type": "ROGHead", "num_classes": len(fact["labels"]), "scale": strides[0]}
    return Segmentor(backbone, head)


@pytest.mark.parametrize("task", TASKS)
def test_parameters_and_multiply_adds(task: str) -> None:
    fact = facts(task)
    model = build(fact)
    assert count_parameters(model) == fact["rog_num_parameters"]
    model.to("meta")
    channels, patch = len(fact["modalities"]), fact["plan"]["train_patch"]
    assert count_macs(model, (1, channels, *patch)) / 1e9 == pytest.approx(fact["rog_gmacs_at_train_patch"], abs=6e-4)
    clipped = [min(length, 96) for length in patch]
    gflops = 2 * count_macs(model, (1, channels, *clipped)) / 1e9
    assert gflops == pytest.approx(fact["rog_gflops_at_patch_clipped_to_96"], abs=6e-3)
