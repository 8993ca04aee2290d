"""Which criterion says that a case has fallen, what a system of regions cannot be asked, and whose Dice is meant."""

from collections.abc import Mapping
from typing import Any

from rogseg.attacks import Criterion
from rogseg.registry import CRITERIA
from rogseg.systems import System

__all__ = ["HALF_OF_CLEAN", "build_criterion", "of_recorded_classes", "refuse_regions"]

OF_THE_DICE = ("DiceBelow", "HardDice")
HALF_OF_CLEAN = {"type": "DiceBelow", "threshold": "half of the mean clean Dice of the cases"}


def build_criterion(setting: Mapping[str, Any] | None, mu: float, system: System) -> Criterion:
    """When a case has fallen.

    Args:
        setting: component of the CRITERIA registry; None is a mean Dice under half of ``mu``.
        mu: mean clean Dice.
        system: whose foreground classes, regions included, a `DiceBelow` takes the Dice of, as the records do.

    Raises:
        ValueError: the component is none, or takes no such arguments, or judges a region of the system.
    """
    chosen = dict(setting) if setting is not None else {"type": "DiceBelow", "threshold": mu / 2}
    refuse_regions(chosen, system)
    criterion: Criterion = CRITERIA.build(of_recorded_classes(chosen, system))
    return criterion


def of_recorded_classes(config: Any, system: System) -> Any:
    """A config whose components that take the Dice of label maps take that of the system's classes, as records do."""
    if isinstance(config, list | tuple):
        return type(config)(of_recorded_classes(part, system) for part in config)
    if not isinstance(config, Mapping):
        return config
    filled = {key: of_recorded_classes(part, system) for key, part in config.items()}
    return {"classes": system.class_indices, **filled} if filled.get("type") in OF_THE_DICE else filled


def refuse_regions(config: Any, system: System) -> None:
    """Refuse what aims at one region: a ``target_class`` is one decision, and a region that holds others is several."""
    parts = config.values() if isinstance(config, Mapping) else config if isinstance(config, list | tuple) else ()
    wanted = config.get("target_class") if isinstance(config, Mapping) else None
    if (
        isinstance(wanted, int)
        and 0 < wanted <= len(system.class_indices)
        and len(system.class_indices[wanted - 1]) > 1
    ):
        alone = [n for n, indices in enumerate(system.class_indices, start=1) if len(indices) == 1]
        raise ValueError(
            f"target_class is {wanted}: in {system.identity.name} that is the region {system.class_names[wanted - 1]}, "
            f"which holds others, and attacks aim at what holds none: give one of {', '.join(map(str, alone))}"
        )
    for part in parts:
        refuse_regions(part, system)
