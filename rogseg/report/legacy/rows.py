"""The released evaluation, the right one and what lies between: which faults are in, which runs it takes, the rows."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["FAULTS", "LegacyRow", "LegacyRun", "Variant", "legacy_runs", "read_legacy_rows", "run_of", "variants"]

FAULTS = {
    "clamp": "inputs clamped to [0, 1]",
    "units": "epsilon in network units",
    "mixing": "restarts of PGD mixed by voxel",
    "queries": "Square with as many queries as PGD has iterations",
    "threshold": "a threshold that shrinks from attack to attack",
}
"""By key, in words. That APGD hands back the iterate of lowest Dice is a choice, not a fault, and in every row."""

# The fault that a member has of its own; the others are as they should be.
OWN_FAULT = {"legacy PGD": "mixing", "legacy Square": "queries"}


@dataclasses.dataclass(frozen=True)
class LegacyRun:
    """One evaluation that is really run: a threat model, and all five attacks with or without their own faults."""

    clamp: bool
    units: bool
    own_faults: bool

    @property
    def folder(self) -> str:
        """Where its records lie."""
        threat = "-".join(key for key, is_on in (("clamp", self.clamp), ("units", self.units)) if is_on)
        return f"{threat or 'right'}_{'faulty' if self.own_faults else 'sound'}"


@dataclasses.dataclass(frozen=True)
class Variant:
    """A row: its name, and the faults that are in."""

    name: str
    faults: frozenset[str]


def legacy_runs() -> tuple[LegacyRun, ...]:
    """All runs that the rows are put together from; the right one first."""
    return tuple(LegacyRun(*flags) for flags in itertools.product((False, True), repeat=3))


def variants() -> tuple[Variant, ...]:
    """The right evaluation, each fault alone, each left out, and the released one."""
    everything = frozenset(FAULTS)
    return (
        Variant("right", frozenset()),
        *(Variant(f"only: {words}", frozenset({key})) for key, words in FAULTS.items()),
        *(Variant(f"without: {words}", everything - {key}) for key, words in FAULTS.items()),
        Variant("as released", everything),
    )


def run_of(variant: Variant, member: str) -> LegacyRun:
    """Where a row has the records of one attack from; members draw from random streams of their own."""
    own = next((fault for name, fault in OWN_FAULT.items() if member.startswith(name)), None)
    return LegacyRun("clamp" in variant.faults, "units" in variant.faults, own in variant.faults)


@dataclasses.dataclass(frozen=True)
class LegacyRow:
    """A combination of faults.

    Args:
        variant: which faults are in.
        clean: mean Dice without attack, by case.
        dice: lowest mean Dice over the attacks, by case.
        fell: whether any attack was called a success, by case.
        furthest: largest move of a voxel in units of the box's width, over attacks and cases.
    """

    variant: Variant
    clean: Mapping[str, float]
    dice: Mapping[str, float]
    fell: Mapping[str, bool]
    furthest: float


def read_legacy_rows(directory: Path) -> tuple[LegacyRow, ...]:
    """The rows, over the cases that every run has finished.

    Args:
        directory: with one folder of records per `LegacyRun`.

    Raises:
        ValueError: a folder holds no records, or those of another evaluation than the rest.
    """
    folders = {run: RecordFolder(directory / run.folder) for run in legacy_runs()}
    first = next(iter(folders.values()))
    for folder in folders.values():
        for key in ("system", "data", "protocol", "seed"):
            if getattr(folder.identity, key) != getattr(first.identity, key):
                raise ValueError(
                    f"{folder.directory} and {first.directory} differ in {key}, so they are no one comparison; give "
                    "another --out"
                )
    finished = _finished_cases(tuple(folders.values()))
    return tuple(_row(variant, folders, finished) for variant in variants())


def _finished_cases(folders: Sequence[RecordFolder]) -> frozenset[str]:
    """The cases that every attack of every run was made on."""
    members = dict.fromkeys(member for folder in folders for member in folder.conditions())
    cases = [set(folder.clean()) for folder in folders]
    cases += [
        set(folder.under(member, strength))
        for folder in folders
        for member in members
        for strength in folders[0].strengths()
    ]
    return frozenset(set.intersection(*cases))


def _row(variant: Variant, folders: Mapping[LegacyRun, RecordFolder], finished: frozenset[str]) -> LegacyRow:
    first = next(iter(folders.values()))
    assert first.identity.criterion is not None, "every attack has a criterion"
    assert first.identity.criterion.mu is not None, "settled before the first attack"
    (strength,) = first.strengths()
    mu = first.identity.criterion.mu
    clean = {case_id: mean for case_id, one in first.clean().items() if (mean := one.mean_clean) is not None}
    dice: dict[str, float] = {}
    fell: dict[str, bool] = {}
    furthest = 0.0
    for position, member in enumerate(first.conditions()):
        threshold = mu / 2 * (mu**position if "threshold" in variant.faults else 1.0)
        for case_id, record in folders[run_of(variant, member)].under(member, strength).items():
            mean = record.mean_dice
            if case_id in finished and mean is not None:
                dice[case_id] = min(mean, dice.get(case_id, mean))
                fell[case_id] = fell.get(case_id, False) or mean < threshold
                furthest = max(furthest, record.distance_fraction or 0.0)
    return LegacyRow(variant, {case_id: clean[case_id] for case_id in dice}, dice, fell, furthest)
