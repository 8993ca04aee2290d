"""Noise: of an MR magnitude image, white, and of a CT scan with less dose."""

import math

import torch
from torch import Tensor

from rogseg.corruptions.base import SIGNAL, Corruption, Severities
from rogseg.corruptions.scan import Scan
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

    severities = Severities(
        parameter="noise of the real and the imaginary part",
        unit=SIGNAL,
        neutral=0,
        levels=(3, 6, 9, 12, 16),
        extreme=60,
        source="BrainWeb (Collins et al. 1998) has 1, 3, 5, 7 and 9 % of the brightest tissue; beyond 9 % low field",
    )
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

    severities = Severities(
        parameter="standard deviation",
        unit=f"{SIGNAL}; in CT 1 % is 10 HU",
        neutral=0,
        levels=(2, 4, 6, 8, 12),
        extreme=60,
        source="CT of the body has some 10 to 30 HU; the steps are our choice",
    )

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

    severities = Severities(
        parameter="dose",
        unit="% of the full dose",
        neutral=100,
        levels=(50, 25, 10, 5, 2.5),
        extreme=0.05,
        source="a quarter of the dose is that of the Low Dose CT Grand Challenge (McCollough et al. 2017); 12 "
        "HU at full dose is our choice, for a body",
    )
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
