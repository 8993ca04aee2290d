"""Which criterion says that a case has fallen, and what a system of regions cannot be asked."""

from collections.abc import Mapping
from typing import Any

from rogseg.attacks import Criterion
from rogseg.registry import CRITERIA
from rogseg.systems import System

__all__ = ["HALF_OF_CLEAN", "build_criterion", "refuse_regions"]

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
    if chosen["type"] == "DiceBelow":
        chosen.setdefault("classes", system.class_indices)
    criterion: Criterion = CRITERIA.build(chosen)
    return criterion


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
