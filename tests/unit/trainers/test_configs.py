"""The configs of adversarial training: what they train, how much it costs and what they start from."""

from pathlib import Path

import pytest

from rogseg.engine.config.load import load_config
from rogseg.engine.training.train_loop import divide_epochs
from rogseg.registry import TRAINERS
from rogseg.storage import write_plan
from rogseg.trainers import AdversarialTrainer, AWPTrainer, FreeTrainer, SEATTrainer, Trainer, seeded
from tests.tiny_task import tiny_plan

FOLDER = Path(__file__).resolve().parents[3] / "configs" / "rog"
ORGANS = ["braintumour", "colon", "heart", "hepaticvessel", "liver", "lung", "pancreas", "prostate", "spleen"]
TASKS = ["hippocampus", "hippocampus_light"]
NAMES = [f"freeat_{task}" for task in ORGANS]
NAMES += [f"{trainer}_{task}" for trainer in ("freeat", "pgdat", "nfgsm", "trades", "mart", "seat") for task in TASKS]
MAY_DIFFER = {"trainer", "validation", "init_from", "train_cfg", "plateau"}


def passes_of(trainer: Trainer) -> float:
    """Of a mini-batch, whoever gets the gradient."""
    return trainer.passes.training + trainer.passes.crafting


@pytest.mark.parametrize("name", NAMES)
def test_it_is_standard_training_but_for_what_makes_it_robust(name: str) -> None:
    task, is_light = name.partition("_")[2], name.endswith("light")
    start = f"rog_standard_{task}_long" if is_light else f"rog_standard_{task}"
    robust = load_config(FOLDER / f"rog_{name}.py")
    standard = load_config(FOLDER / f"{start}.py")
    may_differ = MAY_DIFFER | ({"optim_wrapper", "train_data", "default_hooks"} if is_light else set())
    assert {key for key in robust if robust[key] != standard.get(key)} <= may_differ
    assert Path(robust.init_from.stage) == FOLDER / f"{start}.py"
    assert robust.init_from.zoo == start
    assert robust.validation.monitor == "mean"


@pytest.mark.parametrize("name", NAMES)
def test_epsilon_is_that_of_the_paper_for_training_and_validation(name: str) -> None:
    config = load_config(FOLDER / f"rog_{name}.py")
    epsilon = config.trainer.trainer.epsilon if name.startswith("seat") else config.trainer.epsilon
    assert epsilon == config.validation.epsilon == 8 / 255


@pytest.mark.parametrize(
    ("name", "key"),
    [("freeat_hippocampus", "epsilon"), ("pgdat_hippocampus", "epsilon"), ("seat_hippocampus", "trainer.epsilon")],
)
def test_the_checkpoint_is_chosen_at_the_epsilon_of_the_training_unless_another_is_said(name: str, key: str) -> None:
    changed = {f"trainer.{key}": 2 / 255}
    assert load_config(FOLDER / f"rog_{name}.py", changed).validation.epsilon == 2 / 255
    said = {**changed, "validation.epsilon": 4 / 255}
    assert load_config(FOLDER / f"rog_{name}.py", said).validation.epsilon == 4 / 255


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("light")])
def test_light_trainings_take_the_same_number_of_gradient_passes(name: str) -> None:
    config = load_config(FOLDER / f"rog_{name}.py")
    trainer = TRAINERS.build(dict(config.trainer))
    epochs = divide_epochs(config.train_cfg.max_epochs, trainer.num_replays)
    assert epochs * config.train_cfg.iterations_per_epoch * passes_of(trainer) == 1200


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("light")])
def test_other_trainings_take_those_of_standard_training(name: str) -> None:
    config = load_config(FOLDER / f"rog_{name}.py")
    trainer = TRAINERS.build(dict(config.trainer))
    epochs = divide_epochs(config.train_cfg.max_epochs, trainer.num_replays)
    assert 990 <= epochs * passes_of(trainer) <= 1000
    # The patience of the schedule, too, is 50 epochs of standard training.
    patience = divide_epochs(config.plateau.get("patience", 50), trainer.num_replays)
    assert 48 <= patience * passes_of(trainer) <= 50


@pytest.mark.parametrize("task", TASKS)
def test_a_robust_start_is_pgd_training_for_a_quarter_of_the_passes(task: str) -> None:
    few, pgd = (load_config(FOLDER / f"rog_{name}_{task}.py") for name in ("pirat", "pgdat"))
    assert few.trainer == pgd.trainer
    assert few.train_cfg.max_epochs <= pgd.train_cfg.max_epochs / 4
    assert Path(few.init_from.stage) == FOLDER / f"rog_freeat_{task}.py"
    assert few.init_from.zoo == f"rog_freeat_{task}"


@pytest.mark.parametrize("trainer_name", ["freeat", "pgdat", "nfgsm", "trades", "mart"])
def test_short_trainings_for_ones_own_data_start_from_the_short_one_and_take_as_many_passes(
    trainer_name: str, tmp_path: Path
) -> None:
    write_plan(tmp_path, tiny_plan())
    config = load_config(FOLDER / f"rog_{trainer_name}_short.py", task_dir=tmp_path)
    standard = load_config(FOLDER / "rog_standard_short.py", task_dir=tmp_path)
    trainer = TRAINERS.build(dict(config.trainer))
    assert {key for key in config if config[key] != standard.get(key)} <= MAY_DIFFER | {"optim_wrapper"}
    assert Path(config.init_from.stage) == FOLDER / "rog_standard_short.py"
    assert config.trainer.epsilon == config.validation.epsilon == 8 / 255
    epochs = divide_epochs(config.train_cfg.max_epochs, trainer.num_replays)
    assert epochs * config.train_cfg.iterations_per_epoch * passes_of(trainer) == 1200


@pytest.mark.parametrize("name", NAMES)
def test_a_trainer_draws_by_the_seed_of_its_training(name: str) -> None:
    config = load_config(FOLDER / f"rog_{name}.py").trainer.to_dict()
    around = [{"type": "AWPTrainer", "trainer": config}] if config["type"] == "AdversarialTrainer" else []
    for one in (config, {"type": "SEATTrainer"}, *around):
        trainer = TRAINERS.build(seeded(one, 7))
        inner = trainer.trainer if isinstance(trainer, SEATTrainer | AWPTrainer) else trainer
        assert isinstance(inner, FreeTrainer | AdversarialTrainer)
        assert inner.seed == 7
    assert seeded({"type": "FreeTrainer", "seed": 3}, 7)["seed"] == 3
    assert seeded({"type": "StandardTrainer"}, 7) == {"type": "StandardTrainer"}
