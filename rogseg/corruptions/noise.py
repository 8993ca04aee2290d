"""Noise: of an MR magnitude image, white, and of a CT scan with less dose."""

import math

import torch
from torch import Tensor

from rogseg.corruptions.base import Corruption
from rogseg.corruptions.scan import Scan
from rogseg.corruptions.severity_table import SEVERITIES
from rogseg.registry import CORRUPTIONS

__all__ = ["DoseNoise", "GaussianNoise", "RicianNoise"]

FULL_DOSE_NOISE = 12.0
"""[HU] in a scan of the full dose."""


def _normal(scan: Scan, generator: torch.Generator) -> Tensor:
    return torch.randn(scan.voxels.shape, generator=generator)


@CORRUPTIONS.register_module()
class RicianNoise(Corruption):
    """Normal noise in the real and the imaginary part, of which the magnitude is taken: it lifts dark regions.

    Source: Gudbjartsson and Patz 1995.
    """

    severities = SEVERITIES["RicianNoise"]
    modalities = ("MR",)
    elsewhere = "the noise of magnitude images is that of MR"

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        deviation = parameter / 100 * scan.signal
        real = scan.voxels - scan.floor + deviation * _normal(scan, generator)
        return scan.with_magnitude(torch.hypot(real, deviation * _normal(scan, generator)))


@CORRUPTIONS.register_module()
class GaussianNoise(Corruption):
    """White noise."""

    severities = SEVERITIES["GaussianNoise"]

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        return scan.with_voxels(scan.voxels + parameter / 100 * scan.signal * _normal(scan, generator))


@CORRUPTIONS.register_module()
class DoseNoise(Corruption):
    """The noise that a scan with less dose has beyond that of the full dose, textured by filtered back projection.

    The variance of the noise goes with one over the dose, so its deviation is added in squares. In a slice its power
    spectrum is a ramp that a kernel cuts off; slices are independent. Deviation: the same everywhere in a slice, where
    a real scan has more noise behind bone.

    Source: Kijewski and Judy 1987 for the ramp.
    """

    severities = SEVERITIES["DoseNoise"]
    modalities = ("CT",)
    elsewhere = "only CT has a dose"

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        deviation = FULL_DOSE_NOISE * math.sqrt(100 / parameter - 1)
        axes = [axis + 1 for axis in scan.plane_axes]
        squares = []
        for axis in axes:
            shape = [1] * 4
            shape[axis] = scan.voxels.shape[axis]
            squares.append(torch.fft.fftfreq(shape[axis]).square().view(shape))
        radius = (squares[0] + squares[1]).sqrt()
        gain = radius.sqrt() * torch.exp(-((radius / 0.3) ** 2))
        noise = torch.fft.ifftn(torch.fft.fftn(_normal(scan, generator), dim=axes) * gain, dim=axes).real
        return scan.with_voxels(scan.voxels + deviation * noise / noise.std())
