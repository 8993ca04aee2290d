"""The trainers that a hardening may take, by the name that a person calls them."""

from collections.abc import Sequence
from typing import Any

from rogseg.command_line import nearest
from rogseg.engine.config.overrides import TRAINER_OPTIONS, parse_overrides
from rogseg.registry import TRAINERS
from rogseg.trainers import Trainer

__all__ = ["TRAINER_NAMES", "build_trainer", "trainer_config"]

_ADVERSARIAL = {"type": "AdversarialTrainer"}
_BY_NAME: dict[str, dict[str, Any]] = {
    "free": {"type": "FreeTrainer", "num_replays": 5},
    "seat": {"type": "SEATTrainer", "trainer": {"type": "FreeTrainer", "num_replays": 1}},
    "pgd": {**_ADVERSARIAL, "craft": {"type": "PGDCraft", "num_iterations": 3}},
    "n_fgsm": {**_ADVERSARIAL, "craft": {"type": "NFGSMCraft"}},
    "trades": {
        **_ADVERSARIAL,
        "craft": {"type": "PGDCraft", "num_iterations": 3, "start": "noise"},
        "loss": {"type": "TRADES"},
    },
    "mart": {**_ADVERSARIAL, "craft": {"type": "PGDCraft", "num_iterations": 3}, "loss": {"type": "MART"}},
    "standard": {"type": "StandardTrainer"},
}
TRAINER_NAMES = tuple(_BY_NAME)


def trainer_config(name: str, epsilon: float, seed: int, options: Sequence[str] = ()) -> dict[str, Any]:
    """The config of a trainer.

    Args:
        name: one of `TRAINER_NAMES`, with the settings of the configs ``rog_<name>``.
        epsilon: radius as a fraction of the box's width.
        seed: of its randomness.
        options: ``key=value`` for its arguments, such as ``num_replays=3`` or ``craft.num_iterations=7``.

    Raises:
        ValueError: an unknown name, or an option that cannot be read or says another epsilon or seed.
    """
    if name not in _BY_NAME:
        raise ValueError(f"--trainer is {name!r}: {nearest(name, TRAINER_NAMES)}")
    config = {key: dict(value) if isinstance(value, dict) else value for key, value in _BY_NAME[name].items()}
    said = {} if name == "standard" else {"epsilon": epsilon, "seed": seed}
    (config["trainer"] if name == "seat" else config).update(said)
    for key, value in parse_overrides(options, TRAINER_OPTIONS).items():
        *parents, last = key.split(".")
        place = config
        for part in parents:
            if not isinstance(place.get(part), dict):
                raise ValueError(f"--trainer-options {key}: the trainer {name!r} has no {part!r}; it is {config}")
            place = place[part]
        place[last] = value
    taken = config["trainer"] if name == "seat" else config
    if not isinstance(taken, dict) or any(taken.get(key) != value for key, value in said.items()):
        raise ValueError(
            f"--trainer-options: epsilon and seed are said by --epsilon and --seed alone, and were to become {taken}"
        )
    return config


def build_trainer(config: dict[str, Any]) -> Trainer:
    """A new trainer.

    Raises:
        ValueError: it does not take one of its arguments.
    """
    try:
        trainer: Trainer = TRAINERS.build(config)
    except TypeError as error:
        raise ValueError(f"--trainer-options: {error}") from error
    return trainer
