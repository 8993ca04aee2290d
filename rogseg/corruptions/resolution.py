"""Less detail: blur, thick slices, large voxels; and slices or channels that are not there."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from rogseg.corruptions.base import Corruption, Severities
from rogseg.corruptions.scan import Modality, Scan
from rogseg.registry import CORRUPTIONS

__all__ = ["Blur", "ChannelDropped", "DownSampling", "MissingSlices", "ThickSlices"]

FEWEST_VOXELS = 2


def _coarse_and_back(scan: Scan, factors: tuple[float, float, float]) -> Scan:
    """Mean over larger voxels, then linear interpolation to the grid of the file, which stays what it is."""
    shape = tuple(scan.voxels.shape[1:])
    coarse = [max(FEWEST_VOXELS, round(n / factor)) for n, factor in zip(shape, factors, strict=True)]
    small = functional.interpolate(scan.voxels[None], size=coarse, mode="area")
    return scan.with_voxels(functional.interpolate(small, size=list(shape), mode="trilinear", align_corners=False)[0])


@CORRUPTIONS.register_module()
class Blur(Corruption):
    """A Gaussian point spread, the same in mm along all axes: a smooth kernel, or a scan out of focus."""

    severities = Severities(
        parameter="standard deviation of the point spread",
        unit="mm",
        neutral=0,
        levels=(0.5, 0.8, 1.1, 1.5, 2.0),
        extreme=12,
        source="torchio's RandomBlur has up to 2 mm; half widths of 1.2 to 4.7 mm",
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        widths = (0.0, *(parameter / step for step in scan.spacing))
        blurred = ndimage.gaussian_filter(scan.voxels.numpy(), widths, mode="nearest")
        return scan.with_voxels(torch.from_numpy(np.ascontiguousarray(blurred)))


@CORRUPTIONS.register_module()
class ThickSlices(Corruption):
    """Fewer and thicker slices, brought back to the grid of the file by interpolation."""

    severities = Severities(
        parameter="slice thickness over the one of the file",
        unit="times",
        neutral=1,
        levels=(2, 3, 4, 6, 8),
        extreme=24,
        source="ROOD-MRI has 2.8 to 10 times; clinical slices have 3 to 8 mm",
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        x, y, z = (parameter if axis == scan.slice_axis else 1.0 for axis in range(3))
        return _coarse_and_back(scan, (x, y, z))


@CORRUPTIONS.register_module()
class DownSampling(Corruption):
    """Larger voxels along all axes, brought back to the grid of the file by interpolation."""

    severities = Severities(
        parameter="voxel size over the one of the file, all axes",
        unit="times",
        neutral=1,
        levels=(1.3, 1.6, 2, 2.5, 3.2),
        extreme=12,
        source="our choice, between research (1 mm) and fast clinical scans (3 mm)",
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        return _coarse_and_back(scan, (parameter, parameter, parameter))


def _slices_with_content(scan: Scan, channels: slice) -> Tensor:
    """Those in which a channel rises above its floor: to lose another one, as beside a stripped skull, is nothing."""
    above = (scan.voxels > scan.floor)[channels].movedim(scan.slice_axis + 1, 0)
    return above.flatten(1).any(1).nonzero().flatten()


def _emptied(scan: Scan, channels: slice, slices: Tensor) -> Scan:
    voxels = scan.voxels.clone()
    of_slice = voxels.movedim(scan.slice_axis + 1, 1)
    of_slice[channels, slices] = scan.floor[channels]
    return scan.with_voxels(voxels)


@CORRUPTIONS.register_module()
class MissingSlices(Corruption):
    """Slices that were lost: as dark as the darkest voxel, in all channels. Which ones is drawn; two always stay.

    Counted and drawn are those that are not empty already.
    """

    severities = Severities(
        parameter="slices that are lost",
        unit="%",
        neutral=0,
        levels=(5, 10, 20, 30, 45),
        extreme=90,
        source="our choice; lost in transfer or unusable",
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        slices = _slices_with_content(scan, slice(None))
        lost = max(0, min(max(1, round(parameter / 100 * len(slices))), len(slices) - FEWEST_VOXELS))
        return _emptied(scan, slice(None), slices[torch.randperm(len(slices), generator=generator)[:lost]])


@CORRUPTIONS.register_module()
class ChannelDropped(Corruption):
    """A drawn channel covers less of the patient than the others, or next to nothing.

    Counted are the slices in which the channel is not empty already, as a stripped skull leaves them. One of these
    stays: a channel of one value alone is no image, and is refused by whoever reads the file.
    """

    severities = Severities(
        parameter="slices that one channel lacks",
        unit="%",
        neutral=0,
        levels=(20, 40, 60, 80, 100),
        extreme=100,
        source="a sequence with less coverage, or none, as in BraTS with missing modalities; the steps are our choice",
    )
    elsewhere = "a scan with one channel has none to lose"

    def reason_against(self, modalities: Sequence[Modality]) -> str | None:
        """Only scans with several channels can lose one."""
        return self.elsewhere if len(modalities) < 2 else None

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        channel = int(torch.randint(len(scan.voxels), (), generator=generator))
        channels = slice(channel, channel + 1)
        slices = _slices_with_content(scan, channels)
        lost = max(0, min(max(1, round(parameter / 100 * len(slices))), len(slices) - 1))
        from_top = float(torch.rand((), generator=generator)) < 0.5
        return _emptied(scan, channels, slices[len(slices) - lost :] if from_top else slices[:lost])
