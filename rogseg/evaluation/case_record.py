"""CaseRecord: what one attack at one epsilon did to one case, as one JSON line."""

import dataclasses
import json
from collections.abc import Sequence

__all__ = ["CLEAN", "SCHEMA_VERSION", "WORST_CASE", "CaseRecord", "mean_dice"]

SCHEMA_VERSION = 1
CLEAN = "clean"
WORST_CASE = "worst case"


def mean_dice(per_class: Sequence[float | None]) -> float | None:
    """Mean over the classes that have a Dice; None where none has."""
    present = [value for value in per_class if value is not None]
    return sum(present) / len(present) if present else None


@dataclasses.dataclass(frozen=True)
class CaseRecord:
    """One case under one attack; the clean prediction is the attack ``clean`` at epsilon 0.

    ``dice_clean`` and ``dice_adversarial`` hold one value per foreground class, None where the class is absent from
    prediction and target. ``success`` is None where nothing can succeed: without attack, and in a case that lacks what
    the criterion asks for, such as any foreground.
    ``distance_fraction`` is in the norm of the run's threat model, in units of the box's width; the two others are the
    largest move of a voxel, per channel, in network units and raw units (HU for CT). ``found_distance`` is the length
    of what a minimal-norm attack found at whatever epsilon. ``seconds`` are wall-clock.
    """

    case_id: str
    attack: str
    epsilon: float
    dice_clean: tuple[float | None, ...]
    dice_adversarial: tuple[float | None, ...]
    success: bool | None
    distance_fraction: float
    distance_network: tuple[float, ...]
    distance_raw: tuple[float, ...]
    num_forward: int
    num_backward: int
    seconds: float
    seed: int
    found_distance: float | None = None

    @property
    def key(self) -> tuple[str, str, float]:
        """What makes a record unique within a run."""
        return self.case_id, self.attack, self.epsilon

    @property
    def mean_clean(self) -> float | None:
        """Mean clean Dice over the foreground classes."""
        return mean_dice(self.dice_clean)

    @property
    def mean_adversarial(self) -> float | None:
        """Mean Dice under the attack over the foreground classes."""
        return mean_dice(self.dice_adversarial)

    def to_line(self) -> str:
        """The record as one line of strict JSON."""
        return json.dumps({"schema": SCHEMA_VERSION, **dataclasses.asdict(self)}, allow_nan=False)

    @classmethod
    def from_line(cls, line: str) -> "CaseRecord":
        """Read what `to_line` wrote.

        Raises:
            ValueError: the line is torn, of another schema version, or lacks a key.
        """
        data = json.loads(line)
        schema = data.pop("schema", None)
        if schema != SCHEMA_VERSION:
            raise ValueError(f"a record has schema version {schema}, this version of rogseg reads {SCHEMA_VERSION}")
        try:
            for key in ("dice_clean", "dice_adversarial", "distance_network", "distance_raw"):
                data[key] = tuple(data[key])
            return cls(**data)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a record has missing or unknown keys: {error}") from error
