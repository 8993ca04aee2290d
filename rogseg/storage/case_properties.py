"""What a stored case remembers of its raw files: grid, intensity box, digests, voxels of each class."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from rogseg.foreign import decode

__all__ = ["IN_MM", "Axes", "CaseProperties", "Matrix", "RawForms"]

Matrix = tuple[tuple[float, ...], ...]

Axes = tuple[int, int, int]
"""Entry k is +(a + 1) where axis k of the network's grid is axis a of the file, -(a + 1) where it runs against it."""


@dataclasses.dataclass(frozen=True)
class RawForms:
    """How the header of a NIfTI file says where its voxels are, so that a prediction says it in the same way.

    Args:
        unit: of its lengths: ``mm``, ``meter``, ``micron``, or ``unknown``, which is taken for mm.
        sform_code: 0 where there is none.
        qform_code: 0 where there is none.
        qform: 4x4 [mm], where it differs from the affine that counts.
    """

    unit: str = "mm"
    sform_code: int = 2
    qform_code: int = 0
    qform: Matrix | None = None


IN_MM = RawForms()
"""An sform in millimetres, which is what nibabel writes."""


@dataclasses.dataclass(frozen=True)
class CaseProperties:
    """All it takes to map a label map back to the raw grid, and the valid intensities of the case.

    ``raw_affine`` is 4x4, ``raw_spacing`` [mm], both in the order of the file's axes, as is ``raw_shape``; ``axes``
    leads from there to the network's order. ``raw_lower`` and ``raw_upper`` are the intensity box per channel [HU or
    scanner units], ``box_lower`` and ``box_upper`` the same box [network units]. ``class_places`` holds, for each
    foreground class that occurs, sampled voxels of the network's grid for centring patches, each as its number in C
    order; None without a label. ``source_digest`` identifies the raw content and the parts of the plan that the case
    was made with, ``raw_digest`` the raw content alone (empty in cases from before it was recorded). ``notes`` are what
    a person should know of the case. ``coarse_by_nearest`` says whether an axis that is much coarser than the others is
    resampled by nearest neighbour (`rogseg.preprocessing.resampling.coarse_axis`), as plans have it.
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
    raw_digest: str = ""
    axes: Axes = (1, 2, 3)
    raw_forms: RawForms = IN_MM
    notes: tuple[str, ...] = ()
    coarse_by_nearest: bool = True

    def __post_init__(self) -> None:
        if sorted(map(abs, self.axes)) != [1, 2, 3]:
            raise ValueError(f"axes must name the three axes of the file by 1, 2, 3 with a sign, got {self.axes}")
        channels = {len(self.raw_lower), len(self.raw_upper), len(self.box_lower), len(self.box_upper)}
        if len(channels) > 1 or len(self.box_lower) < 1:
            raise ValueError("raw_lower, raw_upper, box_lower and box_upper must have one number per channel each")
        if min(*self.raw_shape, *self.network_shape) < 1:
            raise ValueError(f"shapes must be positive, got {self.raw_shape} and {self.network_shape}")

    def to_json(self) -> dict[str, Any]:
        """The properties as ``json.dumps`` takes them; nothing is copied.

        A copy of a thousand voxels per class, by ``dataclasses.asdict`` or by way of JSON, would take as long as
        reading a small case.
        """
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        data["raw_forms"] = dataclasses.asdict(self.raw_forms)
        if self.class_places is not None:
            data["class_places"] = {str(label): places for label, places in self.class_places.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CaseProperties":
        """Rebuild what `to_json` gave, or what an older version gave.

        Raises:
            ValueError: keys are missing or unknown, or an entry is of another type.
        """
        return decode(data, cls, "a stored case")
