"""The released evaluation, the right one, and what lies between: which faults are in, and which runs that takes."""

import dataclasses
import itertools

__all__ = ["FAULTS", "LegacyRun", "Variant", "legacy_runs", "run_of", "variants"]

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
