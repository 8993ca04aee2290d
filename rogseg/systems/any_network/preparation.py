"""From raw files to the case that a network sees, and from its outputs back to the raw grid."""

import dataclasses
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.preprocessing import (
    Volume,
    is_resampled,
    labels_to_raw_grid,
    maps_to_raw_grid,
    network_axes,
    network_spacing,
    probabilities_to_raw_grid,
    read_image,
    read_label,
)
from rogseg.preprocessing.orientation import axes_of_file, in_plan_order, to_plan_order
from rogseg.preprocessing.plan_making import is_rescaled
from rogseg.preprocessing.resampling import checked_shape, resample_image, resample_labels
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems.any_network.intensity import IntensityStep, build_steps
from rogseg.systems.any_network.scaled_image import ScaledImage
from rogseg.systems.base import SystemChannel
from rogseg.systems.label_classes import LabelClasses

__all__ = ["Inputs", "Preparation"]

SCANNER_UNITS = "scanner units of the case"
_PAIRS = ("LR", "PA", "IS")


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a network is given.

    Args:
        channels: names of its input channels; ``CT`` is in HU.
        intensity: transforms in their order, each ``dict(type=...)`` with the arguments of MONAI's transform of that
            name, or a ``Function`` of one's own.
        spacing: of its grid [mm]; None keeps that of each file.
        orientation: where the axes of its grid point, such as ``RAS``; None keeps the order of each file.
        interpolation: of images, along every axis however thick its slices are; labels are interpolated class by class.

    Raises:
        ValueError: a value makes no sense.
    """

    channels: tuple[str, ...]
    intensity: tuple[Any, ...]
    spacing: tuple[float, float, float] | None = None
    orientation: str | None = None
    interpolation: Literal["cubic", "linear"] = "cubic"

    def __post_init__(self) -> None:
        if not self.channels:
            raise ValueError("system.inputs.channels must name each input channel, such as ['CT'], and is empty")
        if self.spacing is not None and not min(self.spacing) > 0:
            raise ValueError(f"system.inputs.spacing must be positive [mm], got {self.spacing}")
        letters = self.orientation
        if letters is not None and (
            len(letters) != 3 or not all(len(set(pair) & set(letters)) == 1 for pair in _PAIRS)
        ):
            raise ValueError(f"system.inputs.orientation must be three directions such as RAS, got {letters!r}")

    @property
    def described(self) -> tuple[SystemChannel, ...]:
        """The channels with their units."""
        return tuple(SystemChannel(name, name, SCANNER_UNITS if is_rescaled(name) else "HU") for name in self.channels)


class Preparation:
    """Brings raw cases to a network's grid and units, and label maps back.

    Args:
        inputs: what the network is given.
        classes: what its channels mean.

    Raises:
        ValueError: a transform of intensities is unknown or misses an argument.
    """

    def __init__(self, inputs: Inputs, classes: LabelClasses) -> None:
        self.inputs, self.classes = inputs, classes
        self.steps: tuple[IntensityStep, ...] = build_steps(inputs.intensity, "system.inputs.intensity")

    def case(self, raw: RawCase) -> Case:
        """A raw case on the network's grid: axes, then spacing, then intensities.

        Raises:
            ValueError: a file cannot be used.
        """
        inputs = self.inputs
        volume = read_image(raw.images, len(inputs.channels))
        notes = (*raw.notes, *volume.notes)
        axes = axes_of_file(raw.images[0], volume.orientation, inputs.orientation)
        values, spacing = to_plan_order(volume.array, axes), in_plan_order(volume.spacing, axes)
        shape = values.shape[1:]
        if inputs.spacing is not None:
            shape = checked_shape(
                shape, spacing, inputs.spacing, len(values), raw.images[0], "the network (inputs.spacing)"
            )
            values = resample_image(values, shape, order=1 if inputs.interpolation == "linear" else 3)
        image = ScaledImage.raw(values)
        try:
            for step in self.steps:
                step.apply(image)
        except ValueError as error:
            raise ValueError(f"{raw.images[0]}: {error}") from error
        box = image.box(raw.case_id)
        targets = None
        if raw.label is not None:
            labels, _ = self.targets(raw, volume)
            number = len(self.classes.classes) + 1
            targets = resample_labels(to_plan_order(labels, axes), number, shape)
        ends = [bound.flatten().tolist() for bound in (box.lower, box.upper)]
        lower, upper = ends if image.scale is None else (self._raw(image, bounds) for bounds in ends)
        properties = CaseProperties(
            case_id=raw.case_id,
            raw_shape=volume.shape,
            raw_affine=tuple(tuple(row) for row in volume.affine.tolist()),
            raw_spacing=volume.spacing,
            network_shape=shape,
            raw_lower=tuple(lower),
            raw_upper=tuple(upper),
            box_lower=tuple(ends[0]),
            box_upper=tuple(ends[1]),
            source_digest="",
            class_places=None,
            axes=axes,
            raw_forms=volume.forms,
            notes=notes,
            coarse_by_nearest=False,
        )
        width = () if image.scale is None else tuple(high - low for low, high in zip(lower, upper, strict=True))
        return Case(
            case_id=raw.case_id,
            inputs=box.clip(torch.from_numpy(image.values)[None]),
            targets=None if targets is None else torch.from_numpy(targets.astype(np.int64))[None],
            box=box,
            movable=None if image.frozen is None else torch.from_numpy(~image.frozen)[None, None],
            raw_width=width,
            spacing=network_spacing(properties),
            axes=network_axes(properties),
            properties=properties,
            notes=notes,
        )

    def targets(self, raw: RawCase, grid: Volume) -> tuple[NDArray[np.uint8], None]:
        """Class indices (D, H, W) of a label file in its raw grid; every voxel counts.

        Raises:
            ValueError: there is no label, or it cannot be used.
        """
        if raw.label is None:
            raise ValueError(f"case {raw.case_id!r} has no label")
        values = self.classes.raw_values
        found = np.array(values)[read_label(raw.label, raw.images[0], grid, values)]
        return self.classes.indices_of_raw(found), None

    def raw_labels(self, logits: Tensor, properties: CaseProperties) -> NDArray[np.uint8]:
        """Class indices (D, H, W) in the raw grid from logits (1, L, D, H, W).

        Where the grids differ, probabilities are interpolated and decided on there.
        """
        if not is_resampled(properties):
            labels = self.classes.scores(logits)[0].argmax(0).to(torch.uint8).cpu().numpy()
            return labels_to_raw_grid(labels, properties)
        if not self.classes.regions:
            return probabilities_to_raw_grid(logits[0].softmax(0).cpu().numpy(), properties)
        above = maps_to_raw_grid(logits[0].sigmoid().cpu().numpy(), properties) - 0.5
        return self.classes.scores(torch.from_numpy(above)[None])[0].argmax(0).to(torch.uint8).numpy()

    @staticmethod
    def _raw(image: ScaledImage, bounds: list[float]) -> list[float]:
        assert image.scale is not None, "asked for where there are raw units alone"
        return [scale * bound + shift for scale, bound, shift in zip(image.scale, bounds, image.offset, strict=True)]
