"""Corruptions as augmentation: in raw units, on the tiny task, and one step of a training with the shipped config."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.datasets import PatchDataset
from rogseg.datasets.transforms import RandomCorruption
from rogseg.engine.config.load import load_config
from rogseg.engine.training.train import train
from rogseg.registry import CORRUPTIONS
from rogseg.storage import CaseProperties, StoredTask
from tests.tiny_task import CASE_IDS, write_tiny_task
from tests.tiny_training import ROOT, tiny_config

PIECES = [{"type": "CentreCrop", "patch_size": (16, 16, 16)}]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> StoredTask:
    return write_tiny_task(tmp_path_factory.mktemp("task"))


def patch_of(task: StoredTask) -> Case:
    return PatchDataset(task.directory, CASE_IDS[:2], (16, 16, 16), (20, 16, 16), PIECES)[0, 0]


def test_a_strength_in_hounsfield_units_is_one(task: StoredTask) -> None:
    case = patch_of(task)
    deviations = []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        made = RandomCorruption(["GaussianNoise"], max_severity=1, probability=1.0)(case, generator)
        # The plan's window is 300 HU wide, its box 6 network units.
        deviations.append(float((made.inputs - case.inputs)[case_mask(case)].std()) * 50)
        assert made.targets is case.targets
    # 2 % of 1000 HU is the most, and the strength is drawn between none and that.
    assert max(deviations) < 21
    assert min(deviations) < 8 < max(deviations)


def case_mask(case: Case) -> torch.Tensor:
    assert case.movable is not None
    return case.movable


def test_padding_stays_and_the_generator_decides(task: StoredTask) -> None:
    case = patch_of(task)
    movable = torch.ones_like(case.inputs, dtype=torch.bool)
    movable[..., :4] = False
    case = dataclasses.replace(case, movable=movable)
    transform = RandomCorruption(["Blur", "WindowShift"], probability=1.0)
    first, again = (transform(case, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.inputs[..., :4], case.inputs[..., :4])
    assert not torch.equal(first.inputs, case.inputs)
    never = RandomCorruption(["Blur"], probability=0.0)
    assert torch.equal(never(case, np.random.default_rng(1)).inputs, case.inputs)


def test_only_what_fits_the_modality_is_drawn(task: StoredTask) -> None:
    case = patch_of(task)
    mixed = RandomCorruption(["RicianNoise", "Blur"], probability=1.0)
    blur = RandomCorruption(["Blur"], probability=1.0)
    # The case is CT: with Rician noise left out, the same draws give the same blur.
    assert torch.equal(mixed(case, np.random.default_rng(3)).inputs, blur(case, np.random.default_rng(3)).inputs)
    with pytest.raises(ValueError, match="RicianNoise applies to CT"):
        RandomCorruption(["RicianNoise"], probability=1.0)(case, np.random.default_rng(3))
    with pytest.raises(ValueError, match="raw units"):
        blur(dataclasses.replace(case, properties=None), np.random.default_rng(3))


def mr_patch(raw: torch.Tensor) -> Case:
    """A patch [scanner units] of a case that reaches from 0 to 1000, rescaled to a box from -1 to 4."""
    identity = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
    properties = CaseProperties(
        "mr", (9, 9, 9), identity, (1.0, 1.0, 1.0), (9, 9, 9), (0.0,), (1000.0,), (-1.0,), (4.0,), "", None
    )
    box = IntensityBox.per_channel([-1.0], [4.0])
    inputs = (raw / 200 - 1)[None, None]
    return Case("mr", inputs, None, box, spacing=(1.0, 1.0, 1.0), properties=properties, modalities=("MRI",))


def test_air_is_that_of_the_case_where_the_patch_holds_none() -> None:
    """Else the darkest tissue is taken for air, and strengths are shares of what is brighter than it."""
    raw = 300 + 100 * torch.rand(12, 12, 12, generator=torch.Generator().manual_seed(0))
    case, shifts = mr_patch(raw), []
    for seed in range(12):
        made = RandomCorruption(["WindowShift"], max_severity=1, probability=1.0)(case, np.random.default_rng(seed))
        moved = (made.inputs - case.inputs) * 200
        torch.testing.assert_close(moved, moved.mean().expand_as(moved), atol=1e-2, rtol=0)  # cut off nowhere
        shifts.append(float(moved.mean().abs()))
    # 3 % of the mean of the brighter half is the most.
    assert 7 < max(shifts) < 0.03 * 376


def test_a_patch_of_air_passes() -> None:
    CORRUPTIONS.import_from_location()
    ours = {name: cls for name, cls in CORRUPTIONS.module_dict.items() if cls.__module__.startswith("rogseg.")}
    staying = [name for name, cls in ours.items() if not cls.moves_anatomy]
    names = [name for name in staying if CORRUPTIONS.build({"type": name}).reason_against(["MR"]) is None]
    assert len(names) > 10
    case = mr_patch(torch.zeros(9, 9, 9))
    for name in names:
        made = RandomCorruption([name], probability=1.0)(case, np.random.default_rng(0))
        torch.testing.assert_close(made.inputs, case.inputs, atol=1e-5, rtol=0)


def test_what_moves_the_anatomy_and_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="Rotation"):
        RandomCorruption(["Blur", "Rotation"])
    with pytest.raises(ValueError, match="at least one"):
        RandomCorruption([])
    with pytest.raises(ValueError, match="did you mean 'Blur'"):
        RandomCorruption(["Blurr"])
    with pytest.raises(ValueError, match="from 1 to 5"):
        RandomCorruption(["Blur"], max_severity=0)


def test_the_shipped_configs_train_on_corruptions_and_leave_others_for_the_test(task: StoredTask) -> None:
    for name in ("rog_corrupt_hippocampus_light", "rog_corrupt_short"):
        config = load_config(ROOT / f"configs/rog/{name}.py", None, None if "light" in name else task.directory)
        transforms = config.train_data.dataset.transforms
        (corrupting,) = [entry for entry in transforms if entry.type == "RandomCorruption"]
        assert transforms[-1].type == "ClipToBox"
        assert not {"Motion", "Ghosting", "Gamma", "ContrastInversion"} & set(corrupting.corruptions)
    light = load_config(ROOT / "configs/rog/rog_corrupt_hippocampus_light.py")
    # As many gradient passes as the adversarial trainings take from the same start.
    assert light.train_cfg.max_epochs * light.train_cfg.iterations_per_epoch == 1200
    assert light.init_from.zoo == "rog_standard_hippocampus_light_long"


def test_a_step_of_training(tmp_path: Path, task: StoredTask) -> None:
    transforms = load_config(
        ROOT / "configs/rog/rog_corrupt_short.py", None, task.directory
    ).train_data.dataset.transforms
    extra = f"train_data['dataset'] = dict(transforms={[dict(entry) for entry in transforms]!r})\n"
    config = tiny_config(
        tmp_path,
        task.directory,
        tmp_path / "w",
        extra,
        {"train_cfg.max_epochs": 1, "train_cfg.iterations_per_epoch": 1},
    )
    train(config, task.directory)
    (record,) = [json.loads(line) for line in (tmp_path / "w" / "history.jsonl").read_text().splitlines()]
    assert np.isfinite(record["loss"])
