"""What a stored case remembers of its raw files: grid, intensity box, digest, voxels of each class."""

import dataclasses
from collections.abc import Mapping
from typing import Any

__all__ = ["CaseProperties", "Matrix"]

Matrix = tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True)
class CaseProperties:
    """All it takes to map a label map back to the raw grid, and the valid intensities of the case.

    ``raw_affine`` is 4x4, ``raw_spacing`` [mm]. ``raw_lower`` and ``raw_upper`` are the intensity box per channel
    [HU or scanner units], ``box_lower`` and ``box_upper`` the same box [network units]. ``class_places`` holds, for
    each foreground class that occurs, sampled voxels of the network's grid for centring patches, each as its number in
    C order; None without a label. ``source_digest`` identifies the content that the case was made from.
    """

    case_id: str
    raw_shape: tuple[int, int, int]
    raw_affine: Matrix
    raw_spacing: tuple[float, float, float]
    network_shape: tuple[int, int, int]
    raw_lower: tuple[float, ...]
    raw_upper: tuple[float, ...]
    box_lower: tuple[float, ...]
    box_upper: tuple[float, ...]
    source_digest: str
    class_places: dict[int, list[int]] | None

    def to_json(self) -> dict[str, Any]:
        """The properties as ``json.dumps`` takes them; nothing is copied.

        A copy of a thousand voxels per class, by ``dataclasses.asdict`` or by way of JSON, would take as long as
        reading a small case.
        """
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if self.class_places is not None:
            data["class_places"] = {str(label): places for label, places in self.class_places.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CaseProperties":
        """Rebuild what `to_json` gave.

        Raises:
            ValueError: keys are missing or unknown.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if set(data) != known:
            raise ValueError(f"missing keys {sorted(known - set(data))}, unknown keys {sorted(set(data) - known)}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        values["raw_affine"] = tuple(tuple(row) for row in data["raw_affine"])
        if data["class_places"] is not None:
            values["class_places"] = {int(label): places for label, places in data["class_places"].items()}
        return cls(**values)
