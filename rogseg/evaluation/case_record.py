"""CaseRecord: how well one case is segmented under one condition, as one JSON line."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.certification import CertifiedCase
from rogseg.foreign import decode, parse_json

__all__ = [
    "CLEAN",
    "DICE",
    "SCHEMA_VERSION",
    "TARGET_VOLUME",
    "WORST_CASE",
    "CaseRecord",
    "PerClass",
    "class_mean",
    "sizes",
]

SCHEMA_VERSION = 2
REMEDY = "take the file from a backup, or make the records again"
CLEAN = "clean"
WORST_CASE = "worst case"
DICE = "Dice"
TARGET_VOLUME = "target volume"
"""No measure of a prediction: how large each class is [ml], on the clean record of a case."""

PerClass = tuple[float | None, ...]
"""One value per foreground class; None where the measure has none, as for a class absent from both label maps."""


def class_mean(per_class: Sequence[float | None]) -> float | None:
    """Mean over the classes that have a value; None where none has."""
    present = [value for value in per_class if value is not None]
    return sum(present) / len(present) if present else None


def sizes(per_class: Sequence[float | None]) -> PerClass:
    """How far off zero each class is, so that in their mean too much of one and too little of another do not cancel."""
    return tuple(None if value is None else abs(value) for value in per_class)


@dataclasses.dataclass(frozen=True)
class CaseRecord:
    """One case under one condition: an attack at an epsilon, a corruption at a severity, or none.

    Without any, the condition is ``clean`` and the strength 0. A measure is a name and a value per foreground class,
    None where the measure says nothing, such as Dice of a class that is absent from prediction and target; a case
    without a label has no measures.

    Args:
        case_id: its name.
        condition: the attack (a composite's members have their own records), the corruption, or ``clean``.
        strength: epsilon or severity.
        clean: measures of the clean prediction.
        measures: measures under the condition.
        success: None where nothing can succeed: without attack, and in a case that lacks what the criterion asks for.
        distance_fraction: how far the volume was moved, in the norm of the threat, in units of the box's width.
        distance_network: largest move of a voxel, per channel [network units].
        distance_raw: the same [raw units, HU for CT].
        num_forward: forward passes.
        num_backward: backward passes.
        num_bad_gradients: gradients that held a number that is not finite; None where they were not counted.
        seconds: wall-clock.
        seed: of the attack or corruption.
        found_distance: length of what a minimal-norm attack found, at whatever epsilon.
        visibility: how visible the change is, by the name of the measure, for instance SSIM.
        stopped: whether a limit on passes or minutes ended the attack.
        not_run: members of an ensemble that the limit left out.
        prediction: digest of the file that holds the prediction, where one was written.
        certificate: bounds that hold for every perturbation within a radius; ``strength`` is the radius then, and
            ``measures`` are the lower bounds.
        notes: of a case that nothing was done to, what a person should know of its files.
        made_by: key of what it was made by, `EvaluationIdentity.key`; None in records of older versions, and before it
            is in a folder.
    """

    case_id: str
    condition: str
    strength: float
    clean: Mapping[str, PerClass]
    measures: Mapping[str, PerClass]
    success: bool | None = None
    distance_fraction: float | None = None
    distance_network: tuple[float, ...] = ()
    distance_raw: tuple[float, ...] = ()
    num_forward: int = 1
    num_backward: int = 0
    num_bad_gradients: int | None = None
    seconds: float = 0.0
    seed: int = 0
    found_distance: float | None = None
    visibility: Mapping[str, float] = dataclasses.field(default_factory=dict)
    stopped: bool = False
    not_run: tuple[str, ...] = ()
    prediction: str | None = None
    certificate: CertifiedCase | None = None
    notes: tuple[str, ...] = ()
    made_by: str | None = None

    @classmethod
    def of_clean(
        cls,
        case_id: str,
        measures: Mapping[str, PerClass],
        *,
        seed: int = 0,
        seconds: float = 0.0,
        prediction: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> "CaseRecord":
        """The record of a case that nothing was done to."""
        return cls(
            case_id, CLEAN, 0.0, measures, measures, seed=seed, seconds=seconds, prediction=prediction, notes=notes
        )

    @property
    def key(self) -> tuple[str, str, float]:
        """What makes a record unique within an evaluation."""
        return self.case_id, self.condition, self.strength

    @property
    def dice_clean(self) -> PerClass:
        """Clean Dice of each foreground class; empty without a label."""
        return self.clean.get(DICE, ())

    @property
    def dice(self) -> PerClass:
        """Dice of each foreground class under the condition; empty without a label."""
        return self.measures.get(DICE, ())

    @property
    def mean_clean(self) -> float | None:
        """Mean clean Dice over the foreground classes."""
        return class_mean(self.dice_clean)

    @property
    def mean_dice(self) -> float | None:
        """Mean Dice under the condition over the foreground classes."""
        return class_mean(self.dice)

    def to_line(self) -> str:
        """The record as one line of strict JSON."""
        return json.dumps({"schema": SCHEMA_VERSION, **dataclasses.asdict(self)}, allow_nan=False)

    @classmethod
    def from_line(cls, line: str) -> "CaseRecord":
        """Read what `to_line` wrote, or what a version with the schema 1 wrote.

        Raises:
            ValueError: the line is no JSON object or of another schema version, or a key is missing, unknown or of
                another type.
        """
        data: Any = parse_json(line.encode(), "a record", REMEDY)
        if not isinstance(data, dict):
            raise ValueError(f"a record is a JSON object, got {line[:40]!r}")
        schema = data.pop("schema", None)
        if schema == 1:
            data = _migrated(data)
        elif schema != SCHEMA_VERSION:
            raise ValueError(
                f"a record has schema version {schema}, this version of rogseg reads 1 to {SCHEMA_VERSION}"
            )
        return decode(data, cls, "a record")


# Schema 1 had two kinds of records: of attacks, with Dice alone, and of tests, with three measures on the raw grid.
_OLD_MEASURES = {"dice": DICE, "nsd": "NSD", "hd95": "HD95"}


def _migrated(old: dict[str, Any]) -> dict[str, Any]:
    try:
        if "attack" in old:
            renamed = {"condition": old.pop("attack"), "strength": old.pop("epsilon")}
            return {
                **renamed,
                "clean": {DICE: old.pop("dice_clean")},
                "measures": {DICE: old.pop("dice_adversarial")},
                **old,
            }
        measures = {new: old.pop(name) for name, new in _OLD_MEASURES.items()}
        return {"condition": CLEAN, "strength": 0.0, "clean": measures, "measures": measures, **old}
    except KeyError as error:
        raise ValueError(f"a record has missing or unknown keys: {error}") from error
