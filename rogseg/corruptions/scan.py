"""Scan: a volume as a scanner gave it, and what a corruption needs to know of it."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

__all__ = ["MODALITIES", "Modality", "Scan", "modality_of"]

Modality = Literal["CT", "MR", "other"]
MODALITIES: tuple[Modality, ...] = ("CT", "MR", "other")
WATER_OVER_AIR = 1000.0
"""[HU]: the unit in which strengths of CT are shares, since HU have no case-dependent scale."""
_MR_NAMES = ("MR", "T1", "T2", "FLAIR", "ADC", "DWI", "PD", "SWI", "BOLD", "DCE")


def modality_of(name: str, unit: str = "") -> Modality:
    """What kind of scanner a channel comes from.

    Args:
        name: of the modality as a task has it, such as ``CT``, ``MRI``, ``T1w`` or ``FLAIR``.
        unit: of its raw values; only CT is in HU.
    """
    upper = name.upper().strip()
    if upper.startswith(_MR_NAMES):
        return "MR"
    return "CT" if unit == "HU" or upper in ("CT", "CTA", "CECT", "CBCT") else "other"


@dataclasses.dataclass(frozen=True)
class Scan:
    """A volume in raw units, before any preprocessing.

    Args:
        voxels: (C, D, H, W) float32 [HU or scanner units], in the order of the file's axes.
        spacing: of the spatial axes [mm].
        modalities: of each channel.
        labels: (D, H, W) int64 label map that moves where the patient moves; None where there is none.
        ends: of voxels that are a part of a scan, the lowest and the highest intensity of the whole, (C, 1, 1, 1) each;
            None where they are the whole. Air may be nowhere in a part.

    Raises:
        ValueError: the channels and their modalities differ in number.
    """

    voxels: Tensor
    spacing: tuple[float, float, float]
    modalities: tuple[Modality, ...]
    labels: Tensor | None = None
    ends: tuple[Tensor, Tensor] | None = None

    def __post_init__(self) -> None:
        if self.voxels.ndim != 4 or len(self.voxels) != len(self.modalities):
            raise ValueError(
                f"a scan has axes (C, D, H, W) and a modality per channel, got the shape {tuple(self.voxels.shape)} "
                f"and {len(self.modalities)} modalities"
            )

    def with_magnitude(self, above: Tensor) -> "Scan":
        """The same scan with the magnitude of complex or negative intensities above the floor, as MR shows them."""
        return self.with_voxels(above.abs() + self.floor)

    def with_voxels(self, voxels: Tensor) -> "Scan":
        """The same scan with other intensities."""
        return dataclasses.replace(self, voxels=voxels)

    @property
    def slice_axis(self) -> int:
        """The spatial axis, 0 to 2, across the slices: the one with the widest spacing, the last of equal ones."""
        return max(range(3), key=lambda axis: (round(self.spacing[axis], 3), axis))

    @property
    def plane_axes(self) -> tuple[int, int]:
        """The two spatial axes inside a slice."""
        first, second = (axis for axis in range(3) if axis != self.slice_axis)
        return first, second

    @functools.cached_property
    def floor(self) -> Tensor:
        """The lowest intensity of each channel (C, 1, 1, 1): air, or nothing."""
        lowest = self.voxels.amin((1, 2, 3), keepdim=True)
        return lowest if self.ends is None else torch.minimum(lowest, self.ends[0])

    @functools.cached_property
    def ceiling(self) -> Tensor:
        """The highest intensity of each channel (C, 1, 1, 1)."""
        highest = self.voxels.amax((1, 2, 3), keepdim=True)
        return highest if self.ends is None else torch.maximum(highest, self.ends[1])

    @functools.cached_property
    def signal(self) -> Tensor:
        """What strengths are shares of, per channel (C, 1, 1, 1).

        In CT 1000 HU, the step from air to water. Elsewhere the mean over the voxels that are brighter than the
        channel's mean, above the floor: a foreground that needs no label. 0 where no voxel is brighter than another, as
        in a patch of air.
        """
        above = self.voxels - self.floor
        bright = above > above.mean((1, 2, 3), keepdim=True)
        mean = (above * bright).sum((1, 2, 3), keepdim=True) / bright.sum((1, 2, 3), keepdim=True).clamp(min=1)
        return torch.stack(
            [
                torch.full_like(of_channel, WATER_OVER_AIR) if kind == "CT" else of_channel
                for of_channel, kind in zip(mean, self.modalities, strict=True)
            ]
        )

    def percentile(self, shares: Sequence[float]) -> tuple[Tensor, ...]:
        """For each share [%] the intensities (C, 1, 1, 1) that so many voxels of a channel lie under."""
        values = np.percentile(self.voxels.flatten(1).numpy(), shares, axis=1)
        return tuple(torch.from_numpy(row.astype(np.float32)).view(-1, 1, 1, 1) for row in values)
