"""A look at clean and attacked Dice of a few cases, before a hardening and after it."""

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from rogseg.attacks import PGD, DiceBelow
from rogseg.attacks.foreground import case_dice, labels_dice
from rogseg.cases import case_generator
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.attacking.measured_case import scored_model
from rogseg.engine.attacking.threats import ThreatFactory
from rogseg.engine.case_selection import spread
from rogseg.foreign import decode, read_json
from rogseg.metrics import mean_foreground_dice
from rogseg.storage import write_json_atomic
from rogseg.systems import CaseSource, Protocol, System

__all__ = ["Look", "LookSettings", "first_look", "look_at", "look_line"]

Look = dict[str, tuple[float, float]]
"""Case id -> mean foreground Dice, clean and attacked."""

NUM_ITERATIONS = 10
MOST_CASES = 4


@dataclasses.dataclass(frozen=True)
class LookSettings:
    """Epsilon as a fraction of the width of each case's box, the seed of the attack, and where cases are put."""

    epsilon: float
    seed: int
    device: torch.device


def look_at(
    system: System, cases: CaseSource, case_ids: Sequence[str], settings: LookSettings, seconds: float = math.inf
) -> Look:
    """Segment and attack (PGD, ten steps) the window around the foreground of each case.

    Args:
        system: with the weights that it has now.
        cases: where the cases come from.
        case_ids: to look at; those without foreground say nothing and are left out.
        settings: of the attack.
        seconds: no further case is begun after these [s]; the first always is.
    """
    begin, found = time.monotonic(), Look()
    protocol: Protocol = "volume" if system.window_size is None else "patch"
    make_threat, attack = ThreatFactory({}), PGD(num_iterations=NUM_ITERATIONS)
    for case_id in case_ids:
        if found and time.monotonic() - begin > seconds:
            break
        case = evaluated_case(cases, case_id, system, protocol).to(settings.device)
        assert case.targets is not None, "evaluated cases have a label"
        if not case.targets.any():
            continue
        model = scored_model(system.model, case)
        with torch.no_grad():
            clean = mean_foreground_dice(case_dice(model(case.inputs), case.targets, system.class_indices))
        attacked = attack(
            model,
            case.inputs,
            case.targets,
            make_threat(settings.epsilon, case),
            DiceBelow(0.5, system.class_indices),  # says which volume is the worst; success is not asked for
            generator=case_generator(settings.seed, case_id, settings.epsilon, settings.device),
        )
        reached = mean_foreground_dice(labels_dice(attacked.prediction, case.targets, system.class_indices))
        found[case_id] = (float(clean), float(reached))
    return found


def first_look(
    path: Path, system: System, cases: CaseSource, case_ids: Sequence[str], seconds: float, settings: LookSettings
) -> Look:
    """The look at a few of the cases before any training, taken once and kept: later the weights are others.

    Args:
        path: JSON file that keeps it.
        system: before its training, unless the file is there.
        cases: where the cases come from.
        case_ids: at most `MOST_CASES` of them are taken, spread over the set.
        seconds: that it may take, but for the last case [s].
        settings: of the attack.
    """
    if not path.is_file():
        chosen = spread(case_ids, MOST_CASES, settings.seed)
        write_json_atomic(path, look_at(system, cases, chosen, settings, seconds))
    return decode(read_json(path, f"remove {path.parent} to begin again"), Look, str(path))


def look_line(when: str, look: Look) -> str:
    """One line with the means over the cases."""
    clean, attacked = (
        (sum(values) / len(look) for values in zip(*look.values(), strict=True)) if look else (math.nan,) * 2
    )
    return f"{when}: Dice {clean:.3f}, under PGD {attacked:.3f} (mean over one window of {len(look)} held-out cases)"
