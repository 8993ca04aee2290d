"""TaskPlan: the contract between the data, the size of the network and the report.

Everything that preprocessing derives from a dataset and that later stages rely on stands here, frozen and
validated, and goes to and from JSON unchanged. Spatial triples follow the axis order of the NIfTI file (see
``rogseg/preprocessing/raw_reading.py``).
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rogseg.foreign import checked_name, decode, read_json

__all__ = ["MAX_CLASSES", "ChannelIntensity", "ForegroundClass", "Region", "TaskPlan", "Triple", "is_orientation"]

Triple = tuple[int, int, int]

Region = tuple[slice, slice, slice]
"""A cuboid of a volume [voxels]."""

MAX_CLASSES = 255
"""Classes of a task, the background included: class indices are stored in a byte."""


@dataclasses.dataclass(frozen=True)
class ChannelIntensity:
    """How one channel becomes network units: ``(clip(value, lower, upper) - mean) / std``.

    ``rescale`` says that the case is first mapped linearly from its own minimum and maximum to [0, 1], as is done
    for MR; ``lower``, ``upper``, ``mean`` and ``std`` then are fractions, otherwise they are raw units (HU for CT).
    Where ``percentiles`` are given, these two of the case take the place of its minimum and maximum, so that a few very
    bright voxels move nothing.
    """

    modality: str
    rescale: bool
    lower: float
    upper: float
    mean: float
    std: float
    percentiles: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.percentiles is not None:
            check_percentiles(self.percentiles, f"channel {self.modality!r}")
            if not self.rescale:
                raise ValueError(f"channel {self.modality!r}: percentiles are for channels with rescale")
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
        if not self.name.strip():
            raise ValueError(f"a class has the name {self.name!r}; every class needs one that can be read")
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
    published by the authors or computed from the training cases at hand. ``orientation`` says where the three axes of
    the network's grid point, such as ``RAS`` (to the right, to the front, to the head): volumes of another order are
    brought into it and their predictions back; None takes every volume in the order of its file.
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
    orientation: str | None = None

    def __post_init__(self) -> None:
        checked_name(self.name, "the task of a plan")
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
        if len(self.label_values) > MAX_CLASSES:
            raise ValueError(
                f"{where}: {len(self.label_values)} classes; at most {MAX_CLASSES} with the background can be stored"
            )
        if len(set(self.class_names)) != len(self.classes):
            raise ValueError(f"{where}: two classes have one name in {self.class_names}; give each its own")
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
        if any(patch % step for patch, step in zip(self.patch_size, self.plan_stride, strict=True)):
            raise ValueError(
                f"{where}: patch_size {self.patch_size} must be divisible by {self.plan_stride}, the product of strides"
            )
        if self.orientation is not None and not is_orientation(self.orientation):
            raise ValueError(
                f"{where}: orientation must be three letters, one each of R or L, A or P, S or I, got "
                f"{self.orientation!r}"
            )
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
    def plan_stride(self) -> Triple:
        """Product of `strides` along each axis."""
        first, second, third = (math.prod(axis) for axis in zip(*self.strides, strict=True))
        return first, second, third

    @property
    def stem_stride(self) -> Triple:
        """Stride between the inputs and the network's finest features."""
        return self.strides[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the foreground classes."""
        return tuple(entry.name for entry in self.classes)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON data, without what is None: plans from before there was it stay what they are."""
        data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        if self.orientation is None:
            del data["orientation"]
        for channel in data["channels"]:
            if channel["percentiles"] is None:
                del channel["percentiles"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TaskPlan":
        """Rebuild a plan from what `to_json` gave.

        Raises:
            ValueError: a key is missing, unknown, or its value is not allowed; the message names it.
        """
        return decode(data, cls, "task plan")

    @classmethod
    def load(cls, path: str | Path) -> "TaskPlan":
        """Read a plan file: JSON with the plan under its single key ``task``.

        Raises:
            ValueError: the file is not JSON or holds no valid plan; the message names the file.
        """
        remedy = "run rogseg preprocess to make one"
        content = read_json(path, remedy)
        if not isinstance(content, dict) or set(content) != {"task"}:
            raise ValueError(f"{path}: not a task plan (it must hold one key, task, and nothing else); {remedy}")
        try:
            return cls.from_json(content["task"])
        except ValueError as error:
            raise ValueError(f"{path}: not a task plan ({error}); {remedy}") from error


def check_percentiles(percentiles: tuple[float, float], where: str) -> None:
    """Refuse what are no percentiles.

    Raises:
        ValueError: they are not two numbers from 0 to 100 in order.
    """
    if len(percentiles) != 2 or not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise ValueError(f"{where}: percentiles must be two numbers from 0 to 100 in order, got {percentiles}")


def is_orientation(text: str) -> bool:
    """Whether three letters name the directions of three axes, such as ``RAS``."""
    return sorted({"L": "R", "P": "A", "I": "S"}.get(letter, letter) for letter in text) == ["A", "R", "S"]
