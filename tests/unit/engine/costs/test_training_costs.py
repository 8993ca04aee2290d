from pathlib import Path

import pytest

from rogseg.engine.config.load import load_config
from rogseg.engine.costs.training_costs import median_shape, num_training_cases, training_time
from rogseg.engine.stored_task import stored_if_any
from rogseg.estimation.calibration import PassSeconds
from rogseg.estimation.cost_estimate import TrainingTime
from rogseg.registry import TRAINERS
from tests.tiny_task import write_tiny_task
from tests.tiny_training import ROOT, tiny_config

SECONDS = PassSeconds(forward=1, input_gradient=2, training_step=4)


def time_of(name: str, num_cases: int | None = None) -> TrainingTime | None:
    config = load_config(ROOT / f"configs/rog/{name}.py")
    return training_time(config, TRAINERS.build(dict(config.trainer)), num_cases, SECONDS)


def test_iterations_of_the_config() -> None:
    found = time_of("rog_standard_hippocampus_light")
    assert found == TrainingTime(num_iterations=100, num_epochs=14, seconds_per_epoch=100 * 2 * 4)
    assert found.hours == pytest.approx(14 * 800 / 3600)


def test_one_patch_per_case() -> None:
    assert time_of("rog_standard_liver", num_cases=85) == TrainingTime(42, 1000, 42 * 2 * 4)
    assert time_of("rog_standard_liver") is None


def test_passes_and_replays_of_the_trainer() -> None:
    config = load_config(ROOT / "configs/rog/rog_freeat_liver.py", {"trainer.num_replays": 4})
    found = training_time(config, TRAINERS.build(dict(config.trainer)), 85, SECONDS)
    assert found == TrainingTime(42, 250, 42 * 2 * 4 * 4)
    config.trainer = {"type": "AdversarialTrainer", "craft": {"type": "PGDCraft", "num_iterations": 7}}
    found = training_time(config, TRAINERS.build(dict(config.trainer)), 85, SECONDS)
    assert found == TrainingTime(42, 1000, 42 * 2 * (4 + 7 * 2))


def test_cases_of_a_stored_and_of_a_published_task(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task", (22, 18, 14))
    config = tiny_config(tmp_path, tmp_path / "task", tmp_path / "work")
    assert num_training_cases(config, stored_if_any(config, tmp_path / "task")) == 6  # of eight, a quarter selects
    assert median_shape(stored_if_any(config, tmp_path / "task")) == (22, 18, 14)
    assert num_training_cases(config, stored_if_any(config, tmp_path / "nowhere")) is None
    assert median_shape(stored_if_any(config, tmp_path / "nowhere")) is None
    spleen = load_config(ROOT / "configs/rog/rog_standard_spleen.py", {"stored_root": str(tmp_path)})
    assert num_training_cases(spleen, stored_if_any(spleen)) == 30  # of the 33 published ones, a tenth selects
    spleen.fold = 1
    assert num_training_cases(spleen, stored_if_any(spleen)) is None
