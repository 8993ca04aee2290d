"""TaskPlan: the contract between the data, the size of the network and the report.

Everything that preprocessing derives from a dataset and that later stages rely on stands here, frozen and
validated, and goes to and from JSON unchanged. Spatial triples follow the axis order of the NIfTI file (see
``rogseg/preprocessing/nifti.py``).
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

__all__ = ["ChannelIntensity", "ForegroundClass", "Region", "TaskPlan", "Triple"]

Triple = tuple[int, int, int]

Region = tuple[slice, slice, slice]
"""A cuboid of a volume [voxels]."""


@dataclasses.dataclass(frozen=True)
class ChannelIntensity:
    """How one channel becomes network units: ``(clip(value, lower, upper) - mean) / std``.

    ``rescale`` says that the case is first mapped linearly from its own minimum and maximum to [0, 1], as is done
    for MR; ``lower``, ``upper``, ``mean`` and ``std`` then are fractions, otherwise they are raw units (HU for CT).
    """

    modality: str
    rescale: bool
    lower: float
    upper: float
    mean: float
    std: float

    def __post_init__(self) -> None:
        numbers = (self.lower, self.upper, self.mean, self.std)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"channel {self.modality!r}: lower, upper, mean and std must be finite, got {numbers}")
        if not self.lower < self.upper:
            raise ValueError(
                f"channel {self.modality!r}: the intensity window needs lower < upper, got {self.lower}, {self.upper}"
            )
        if not self.std > 0:
            raise ValueError(f"channel {self.modality!r}: std must be positive, got {self.std}")

    @property
    def box(self) -> tuple[float, float]:
        """The valid range of the channel [network units]."""
        return (self.lower - self.mean) / self.std, (self.upper - self.mean) / self.std


@dataclasses.dataclass(frozen=True)
class ForegroundClass:
    """One foreground class: its name, its kind and what post-processing needs to know of it.

    An organ keeps its largest component, a lesion loses components under ``min_voxels`` [voxels of the network's
    grid]; either happens only where ``postprocess`` is true, which validation decides.
    """

    name: str
    kind: Literal["organ", "lesion"]
    min_voxels: int = 0
    postprocess: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("organ", "lesion"):
            raise ValueError(f"class {self.name!r}: kind must be 'organ' or 'lesion', got {self.kind!r}")
        if self.min_voxels < 0:
            raise ValueError(f"class {self.name!r}: min_voxels must not be negative, got {self.min_voxels}")


@dataclasses.dataclass(frozen=True)
class TaskPlan:
    """What a task needs: channels, classes, spacing [mm], patch and window [voxels], strides of the network.

    ``label_values[i]`` is the value that class ``i`` has in the raw label files; 0 is the background, ``classes``
    are the others in order. ``strides`` are the two strides of the stem and the first step of the lattice;
    ``crop_size`` is what is cut out before augmentation. ``intensity_source`` says whether the intensity numbers were
    published by the authors or computed from the training cases at hand.
    """

    name: str
    channels: tuple[ChannelIntensity, ...]
    classes: tuple[ForegroundClass, ...]
    label_values: tuple[int, ...]
    spacing: tuple[float, float, float]
    patch_size: Triple
    crop_size: Triple
    window_size: Triple
    strides: tuple[Triple, Triple, Triple]
    surface_tolerance: float = 1.0
    intensity_source: Literal["published", "computed"] = "computed"

    def __post_init__(self) -> None:
        where = f"plan of task {self.name!r}"
        if not self.channels:
            raise ValueError(f"{where}: it has no channel")
        if not self.classes:
            raise ValueError(f"{where}: it has no foreground class")
        if len(self.label_values) != len(self.classes) + 1 or len(set(self.label_values)) != len(self.label_values):
            raise ValueError(
                f"{where}: label_values must hold one distinct value for the background and for each of the "
                f"{len(self.classes)} classes, got {self.label_values}"
            )
        if len(self.spacing) != 3 or not all(math.isfinite(step) and step > 0 for step in self.spacing):
            raise ValueError(f"{where}: spacing must be three positive numbers [mm], got {self.spacing}")
        for key in ("patch_size", "crop_size", "window_size"):
            size = getattr(self, key)
            if len(size) != 3 or not all(isinstance(length, int) and length > 0 for length in size):
                raise ValueError(f"{where}: {key} must be three positive whole numbers, got {size}")
        if any(crop < patch for crop, patch in zip(self.crop_size, self.patch_size, strict=True)):
            raise ValueError(
                f"{where}: crop_size {self.crop_size} must not be smaller than patch_size {self.patch_size}"
            )
        if len(self.strides) != 3 or not all(len(s) == 3 and all(step in (1, 2) for step in s) for s in self.strides):
            raise ValueError(f"{where}: strides must be three triples of 1 and 2, got {self.strides}")
        if not self.surface_tolerance > 0:
            raise ValueError(f"{where}: surface_tolerance must be positive [mm], got {self.surface_tolerance}")

    @property
    def num_channels(self) -> int:
        """Number of input channels C."""
        return len(self.channels)

    @property
    def num_classes(self) -> int:
        """Number of classes K, the background included."""
        return len(self.classes) + 1

    @property
    def stem_stride(self) -> Triple:
        """Stride between the inputs and the network's finest features."""
        return self.strides[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the foreground classes."""
        return tuple(entry.name for entry in self.classes)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON data."""
        data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TaskPlan":
        """Rebuild a plan from what `to_json` gave.

        Raises:
            ValueError: a key is missing, unknown, or its value is not allowed; the message names it.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"task plan: unknown keys {unknown}; known are {sorted(known)}")
        required = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}
        missing = sorted(required - set(data))
        if missing:
            raise ValueError(f"task plan: missing keys {missing}")
        values = dict(data)
        try:
            values["channels"] = tuple(ChannelIntensity(**channel) for channel in data["channels"])
            values["classes"] = tuple(ForegroundClass(**entry) for entry in data["classes"])
        except TypeError as error:
            raise ValueError(f"task plan: a channel or class has a missing or unknown key: {error}") from error
        for key in ("label_values", "spacing", "patch_size", "crop_size", "window_size"):
            values[key] = tuple(data[key])
        values["strides"] = tuple(tuple(stride) for stride in data["strides"])
        return cls(**values)

    @classmethod
    def load(cls, path: str | Path) -> "TaskPlan":
        """Read a plan file: JSON with the plan under its single key ``task``.

        Raises:
            ValueError: the file is not JSON or holds no valid plan; the message names the file.
        """
        try:
            content = json.loads(Path(path).read_text())
            return cls.from_json(content["task"])
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a task plan ({error}); run tools/preprocess.py to make one") from error
