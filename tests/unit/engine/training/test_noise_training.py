"""Training under the noise that certificates add."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.commands import command_parser
from rogseg.datasets import PatchDataset
from rogseg.engine.config.load import load_config
from rogseg.engine.training.train import train
from rogseg.models.checkpoints import LAST, read_checkpoint
from rogseg.registry import TRAINERS
from tests.tiny_task import CASE_IDS, write_tiny_task
from tests.tiny_training import ROOT, tiny_config

CONFIG = ROOT / "configs/rog/rog_noise_hippocampus_light.py"
NOISE = """
train_data = dict(
    dataset=dict(
        crop_size="task.patch_size",
        transforms=[dict(type="SmoothingNoise", sigmas=(0.25,)), dict(type="ClipToBox")],
    ),
)
"""


def test_it_takes_the_passes_of_the_other_light_trainings_under_the_noise_that_certify_adds() -> None:
    config = load_config(CONFIG)
    transforms = config.train_data.dataset.transforms
    assert [transform["type"] for transform in transforms] == ["SmoothingNoise", "ClipToBox"]
    options = command_parser("certify", "rogseg certify").parse_args(["rog_noise_hippocampus_light"])
    assert list(transforms[0]["sigmas"]) == options.sigma
    passes = TRAINERS.build(dict(config.trainer)).passes
    per_batch = passes.training + passes.crafting
    assert config.train_cfg.max_epochs * config.train_cfg.iterations_per_epoch * per_batch == 1200
    # Only the last epoch is validated, so the best checkpoint is the last one.
    assert config.validation.interval == config.train_cfg.max_epochs
    assert config.init_from.zoo == "rog_standard_hippocampus_light_long"


def test_one_step_under_noise_moves_the_weights_elsewhere_than_one_without(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    weights = []
    for name, extra in (
        ("noisy", NOISE),
        ("clean", NOISE.replace('dict(type="SmoothingNoise", sigmas=(0.25,)), ', "")),
    ):
        few = {"train_cfg.max_epochs": 1, "train_cfg.iterations_per_epoch": 1}
        train(tiny_config(tmp_path, task.directory, tmp_path / name, extra, few), task.directory)
        history = [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        assert len(history) == 1
        assert 0 < history[0]["loss"] < 10
        weights.append(read_checkpoint(tmp_path / name / LAST)["state_dict"])
    assert any(not torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_noisy_patch_stays_in_the_box_and_its_padding_as_it_is(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path)
    transforms: list[dict[str, Any]] = [{"type": "SmoothingNoise", "sigmas": (0.5,)}, {"type": "ClipToBox"}]
    size = (28, 20, 16)  # larger than the cases
    noisy, clean = (
        PatchDataset(task.directory, CASE_IDS, size, size, of_one) for of_one in (transforms, transforms[1:])
    )
    patch, plain = noisy[0, 0], clean[0, 0]
    assert patch.movable is not None
    outside = ~patch.movable
    assert outside.any()
    assert torch.equal(patch.inputs[outside], plain.inputs[outside])
    at_bounds = ((patch.inputs == patch.box.lower) | (patch.inputs == patch.box.upper))[patch.movable].float().mean()
    assert at_bounds == pytest.approx(0.4, abs=0.2)
