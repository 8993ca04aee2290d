"""What one case contributes to the fingerprint of its dataset."""

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import decode
from rogseg.preprocessing.rescaling import Rescaling, case_ranges
from rogseg.preprocessing.volume import Volume

__all__ = ["CaseMeasurement", "measure_case"]

MAX_QUANTILES = 2000  # enough to place the percentile 0.5 of a case within a tenth of its distance to the next


@dataclasses.dataclass(frozen=True)
class CaseMeasurement:
    """Sizes and foreground intensities of one labelled case, on its raw grid.

    ``class_boxes`` [voxels] and ``class_voxels`` are by class index, absent classes left out. Intensities are raw [HU]
    or, in ``rescaled`` channels, fractions of the case's range: per channel the exact sum and sum of squares over all
    ``num_foreground`` voxels, and evenly spaced ``quantiles`` of them (all values where they are few).
    """

    case_id: str
    source_digest: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    class_boxes: dict[int, tuple[int, int, int]]
    class_voxels: dict[int, int]
    num_foreground: int
    rescaled: tuple[bool, ...]
    sums: tuple[float, ...]
    squared_sums: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """The measurement as plain JSON data."""
        # Not dataclasses.asdict, which would copy thousands of numbers one by one.
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        # As text, two thousand numbers would take as long as all else about a small case.
        data["quantiles"] = [base64.b64encode(np.array(q, dtype="<f8").tobytes()).decode() for q in self.quantiles]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CaseMeasurement":
        """Rebuild what `to_json` gave.

        Raises:
            ValueError: it is something else; the message says what.
        """
        if not isinstance(data, Mapping):
            raise ValueError("a measurement must be an object with named entries")
        packed = data.get("quantiles")
        if not isinstance(packed, list) or not all(isinstance(channel, str) for channel in packed):
            raise ValueError("the quantiles are not packed as this version packs them")
        numbers = [np.frombuffer(base64.b64decode(channel, validate=True), dtype="<f8") for channel in packed]
        measurement = decode({**data, "quantiles": []}, cls, "a measurement")
        if not all(np.isfinite(channel).all() for channel in numbers) or len(numbers) != len(measurement.rescaled):
            raise ValueError("the quantiles are damaged")
        return dataclasses.replace(measurement, quantiles=tuple(tuple(channel.tolist()) for channel in numbers))


def measure_case(
    volume: Volume, labels: NDArray[np.uint8], rescalings: Sequence[Rescaling], case_id: str, source_digest: str
) -> CaseMeasurement:
    """Measure a labelled case, in the plan's order of axes; nothing is random."""
    # Plane by plane: bincount widens to int64.
    counts = np.stack([np.bincount(plane.ravel(), minlength=256) for plane in labels])
    classes = [index for index in np.flatnonzero(counts.any(axis=0)).tolist() if index > 0]
    foreground = labels > 0
    sums, squared_sums, quantiles = [], [], []
    ranges = case_ranges(volume, rescalings, [f"case {case_id!r}"] * len(rescalings))
    for channel, rescaling, (lowest, highest) in zip(volume.array, rescalings, ranges, strict=True):
        lowest, scale = (0.0, 1.0) if rescaling is None else (lowest, highest - lowest)
        values = np.sort(channel[foreground])
        fractions = (values.astype(np.float64) - lowest) / scale
        sums.append(float(fractions.sum()))
        squared_sums.append(float(np.dot(fractions, fractions)))
        number = min(len(values), MAX_QUANTILES)
        ranks = (2 * np.arange(number) + 1) * len(values) // (2 * max(1, number))
        quantiles.append(tuple(fractions[ranks].tolist()))
    return CaseMeasurement(
        case_id=case_id,
        source_digest=source_digest,
        shape=volume.shape,
        spacing=volume.spacing,
        class_boxes={index: _box_lengths(labels, index, counts[:, index]) for index in classes},
        class_voxels={index: int(counts[:, index].sum()) for index in classes},
        num_foreground=int(foreground.sum()),
        rescaled=tuple(rescaling is not None for rescaling in rescalings),
        sums=tuple(sums),
        squared_sums=tuple(squared_sums),
        quantiles=tuple(quantiles),
    )


def _box_lengths(labels: NDArray[np.uint8], index: int, by_plane: NDArray[np.int64]) -> tuple[int, int, int]:
    # Without scipy.ndimage.find_objects, whose import takes as long as 20 small cases.
    planes = np.flatnonzero(by_plane)
    outline = np.asarray((labels[planes[0] : planes[-1] + 1] == index).any(axis=0))
    rows, columns = np.nonzero(outline)
    return int(np.ptp(planes)) + 1, int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
