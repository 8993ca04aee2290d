"""AccuracyRecord: how well one case was segmented, measured in its raw grid, as one JSON line."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.metrics import dice_per_class
from rogseg.metrics.surface_distance import hausdorff_distance_95, normalized_surface_dice

__all__ = ["MEASURES", "AccuracyRecord", "measure_case"]

SCHEMA_VERSION = 1
MEASURES = ("dice", "nsd", "hd95")

PerClass = tuple[float | None, ...]


@dataclasses.dataclass(frozen=True)
class AccuracyRecord:
    """One value per foreground class and measure; None where the class is absent from prediction and target.

    A class absent from the target only scores 0 in ``dice`` and ``nsd``, and the volume's diagonal in ``hd95`` [mm].
    """

    case_id: str
    dice: PerClass
    nsd: PerClass
    hd95: PerClass

    def measure(self, name: str) -> PerClass:
        """The values of one of `MEASURES`."""
        values: PerClass = getattr(self, name)
        return values

    def to_line(self) -> str:
        """The record as one line of strict JSON."""
        return json.dumps({"schema": SCHEMA_VERSION, **dataclasses.asdict(self)}, allow_nan=False)

    @classmethod
    def from_line(cls, line: str) -> "AccuracyRecord":
        """Read what `to_line` wrote.

        Raises:
            ValueError: the line is of another schema version, or keys are missing or unknown.
        """
        data: dict[str, Any] = json.loads(line)
        schema = data.pop("schema", None)
        if schema != SCHEMA_VERSION:
            raise ValueError(f"a record has schema version {schema}, this version of rogseg reads {SCHEMA_VERSION}")
        if set(data) != {"case_id", *MEASURES}:
            raise ValueError(f"a record has the keys {sorted(data)}, expected case_id and {list(MEASURES)}")
        return cls(data["case_id"], *(tuple(data[name]) for name in MEASURES))


def measure_case(
    case_id: str,
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    num_classes: int,
    spacing: tuple[float, float, float],
    tolerance: float,
) -> AccuracyRecord:
    """Measure one case.

    Args:
        case_id: its name.
        prediction: (D, H, W) class indices in the raw grid.
        target: (D, H, W) class indices in the raw grid.
        num_classes: K, the background included.
        spacing: of the raw grid [mm].
        tolerance: of NSD [mm].

    Raises:
        ValueError: the shapes differ.
    """
    ours, true = torch.from_numpy(prediction), torch.from_numpy(target)
    dice = dice_per_class(ours[None], true[None], num_classes)[0].tolist()
    pairs = [(ours == index, true == index) for index in range(1, num_classes)]
    return AccuracyRecord(
        case_id,
        dice=_with_none(dice),
        nsd=_with_none([normalized_surface_dice(*pair, spacing, tolerance) for pair in pairs]),
        hd95=_with_none([hausdorff_distance_95(*pair, spacing) for pair in pairs]),
    )


def _with_none(values: list[float]) -> PerClass:
    return tuple(None if math.isnan(value) else value for value in values)
