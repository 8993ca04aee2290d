"""What goes wrong while MR fills k-space, line by line: truncation, spikes, ghosts; the image is a magnitude."""

import math

import torch
from torch import Tensor

from rogseg.corruptions.base import SIGNAL, Corruption, Severities
from rogseg.corruptions.scan import Scan
from rogseg.registry import CORRUPTIONS

__all__ = ["Ghosting", "GibbsRinging", "KSpaceSpikes", "drawn_plane_axis", "frequencies"]

OF_MR = "only MR measures in k-space"
NUM_SPIKES = 3


def frequencies(scan: Scan, axis: int) -> Tensor:
    """Of the lines of k-space along a spatial axis, whole numbers in the order of `torch.fft`; (1, D, 1, 1) or so."""
    shape = [1] * 4
    shape[axis + 1] = scan.voxels.shape[axis + 1]
    return torch.fft.fftfreq(shape[axis + 1], 1 / shape[axis + 1]).round().view(shape)


def drawn_plane_axis(scan: Scan, generator: torch.Generator) -> int:
    """One of the two axes of the slice: that of phase encoding."""
    return scan.plane_axes[int(torch.randint(2, (), generator=generator))]


@CORRUPTIONS.register_module()
class GibbsRinging(Corruption):
    """The outer part of k-space is not measured and filled with zeros: edges ring, and detail is lost.

    Deviation from MONAI's GibbsNoise, which keeps a ball: scanners measure a rectangle in the slice.
    """

    severities = Severities(
        parameter="k-space kept along both axes of the slice",
        unit="%",
        neutral=100,
        levels=(75, 60, 45, 35, 25),
        extreme=4,
        source="acquired matrices of 50 to 100 % are common; MONAI's GibbsNoise cuts without limit",
    )
    modalities = ("MR",)
    elsewhere = OF_MR

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        axes = [axis + 1 for axis in scan.plane_axes]
        spectrum = torch.fft.fftn(scan.voxels - scan.floor, dim=axes)
        for axis in scan.plane_axes:
            largest = max(1.0, parameter / 100 * scan.voxels.shape[axis + 1] / 2)
            spectrum = spectrum * (frequencies(scan, axis).abs() <= largest)
        return scan.with_magnitude(torch.fft.ifftn(spectrum, dim=axes).real)


@CORRUPTIONS.register_module()
class KSpaceSpikes(Corruption):
    """Three points of k-space are far too bright, so three patterns of stripes lie over the volume.

    A point of k-space is a wave in the image; the waves are added there. They run in the plane of the slices, with 0.05
    to 0.35 periods per voxel.
    """

    severities = Severities(
        parameter="height of each of three stripe patterns",
        unit=SIGNAL,
        neutral=0,
        levels=(4, 8, 12, 18, 25),
        extreme=120,
        source="our choice; torchio's RandomSpike takes 1 to 3 times the k-space centre, which hides the anatomy",
    )
    modalities = ("MR",)
    elsewhere = OF_MR

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        places = []
        for axis in scan.plane_axes:
            shape = [1] * 4
            shape[axis + 1] = scan.voxels.shape[axis + 1]
            places.append(torch.arange(shape[axis + 1], dtype=torch.float32).view(shape))
        stripes = torch.zeros(())
        for direction, rate, phase in torch.rand((NUM_SPIKES, 3), generator=generator).tolist():
            turn, angle = 2 * math.pi * (0.05 + 0.3 * rate), 2 * math.pi * direction
            along = places[0] * math.cos(angle) + places[1] * math.sin(angle)
            stripes = stripes + torch.cos(turn * along + 2 * math.pi * phase)
        return scan.with_magnitude(scan.voxels - scan.floor + parameter / 100 * scan.signal * stripes)


@CORRUPTIONS.register_module()
class Ghosting(Corruption):
    """Every n-th line of k-space is weaker, as with breathing or pulsation: n faint copies along phase encoding.

    The lines at the centre stay whole, else the whole image would only be darker.

    Source: the model of torchio's RandomGhosting.
    """

    severities = Severities(
        parameter="weakening of every n-th line of k-space, n of 2 to 5",
        unit="%",
        neutral=0,
        levels=(10, 20, 30, 45, 60),
        extreme=100,
        source="torchio's RandomGhosting goes to 100 %; the steps are our choice",
    )
    modalities = ("MR",)
    elsewhere = OF_MR

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        axis = drawn_plane_axis(scan, generator)
        every = 2 + int(torch.randint(4, (), generator=generator))
        lines = frequencies(scan, axis)
        is_weak = (lines.remainder(every) == 0) & (lines.abs() > 1)
        spectrum = torch.fft.fft(scan.voxels - scan.floor, dim=axis + 1) * (1 - parameter / 100 * is_weak)
        return scan.with_magnitude(torch.fft.ifft(spectrum, dim=axis + 1).real)
