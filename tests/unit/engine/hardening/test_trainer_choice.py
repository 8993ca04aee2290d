"""Every trainer by its name, with the epsilon that was asked for, as the shipped configs set it up."""

import pytest

from rogseg.engine.config.load import load_config
from rogseg.engine.hardening.trainer_choice import TRAINER_NAMES, build_trainer, trainer_config
from rogseg.trainers import AdversarialTrainer, FreeTrainer, SEATTrainer, StandardTrainer


@pytest.mark.parametrize("name", TRAINER_NAMES)
def test_every_name_builds_a_trainer_of_that_epsilon_and_seed(name: str) -> None:
    trainer = build_trainer(trainer_config(name, 4 / 255, seed=3))
    if isinstance(trainer, SEATTrainer):
        trainer = trainer.trainer
    if name == "standard":
        assert isinstance(trainer, StandardTrainer)
        return
    assert isinstance(trainer, FreeTrainer | AdversarialTrainer)
    assert trainer.threat.epsilon == 4 / 255
    assert trainer.seed == 3


def test_settings_are_those_of_the_shipped_configs_and_options_change_them() -> None:
    names = {
        "free": "rog_freeat",
        "pgd": "rog_pgdat",
        "n_fgsm": "rog_nfgsm",
        "trades": "rog_trades",
        "mart": "rog_mart",
    }
    for name, config in names.items():
        shipped = load_config(f"{config}_hippocampus").trainer.to_dict()
        ours, theirs = build_trainer(trainer_config(name, 8 / 255, 0)), build_trainer(shipped)
        assert ours.passes == theirs.passes
        assert type(ours) is type(theirs)
    options = ["craft.num_iterations=7", "clean_loss_interval=0"]
    trainer = build_trainer(trainer_config("pgd", 8 / 255, 0, options))
    assert isinstance(trainer, AdversarialTrainer)
    assert (trainer.passes.crafting, trainer.clean_loss_interval) == (7, 0)
    assert build_trainer(trainer_config("pgd", 8 / 255, 0)).passes.crafting == 3


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("free", "epsilon=0.5"),
        ("pgd", "seed=4"),
        ("seat", "trainer.epsilon=0.5"),
        ("seat", "trainer=dict(type='FreeTrainer', num_replays=2, epsilon=0.5)"),
        ("seat", "trainer=free"),
    ],
)
def test_epsilon_and_seed_are_said_in_one_place(name: str, option: str) -> None:
    with pytest.raises(ValueError, match="said by --epsilon and --seed alone"):
        trainer_config(name, 4 / 255, 3, [option])
