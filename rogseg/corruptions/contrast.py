"""Intensities that another coil, protocol or export gives: bias field, gamma, offset, inverted contrast."""

import itertools

import torch
from torch import Tensor
from torch.nn import functional

from rogseg.corruptions.base import SIGNAL, Corruption, Severities
from rogseg.corruptions.scan import Scan
from rogseg.registry import CORRUPTIONS

__all__ = ["BiasField", "ContrastInversion", "Gamma", "WindowShift"]

ORDER = 3
TINY = torch.finfo(torch.float32).tiny
CALIBRATED = "HU are calibrated, so no scanner does this to them"


def _sign(generator: torch.Generator) -> int:
    return 1 if float(torch.rand((), generator=generator)) < 0.5 else -1


@CORRUPTIONS.register_module()
class BiasField(Corruption):
    """A smooth factor over the volume, the same for all channels: a polynomial of the third order about 1.

    Source: the polynomial is that of Van Leemput et al. 1999, its size is given peak to peak as BrainWeb does.
    """

    severities = Severities(
        parameter="range of the field",
        unit="% peak to peak",
        neutral=0,
        levels=(20, 40, 60, 80, 100),
        extreme=190,
        source="BrainWeb has 20 and 40 %; surface coils and 7 T go beyond (Vovk et al. 2007)",
    )
    modalities = ("MR",)
    elsewhere = "coils of MR make it"

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        x, y, z = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in scan.voxels.shape[1:]), indexing="ij")
        field = torch.zeros_like(x)
        for i, j, k in itertools.product(range(ORDER + 1), repeat=3):
            if 0 < i + j + k <= ORDER:
                field += torch.randn((), generator=generator) * x**i * y**j * z**k
        field = 2 * (field - field.min()) / (field.max() - field.min()) - 1
        return scan.with_voxels((scan.voxels - scan.floor) * (1 + parameter / 200 * field) + scan.floor)


@CORRUPTIONS.register_module()
class Gamma(Corruption):
    """A power law between the lowest intensity and the 99th percentile; up or down is drawn once for all channels."""

    severities = Severities(
        parameter="exponent, or one over it",
        unit="",
        neutral=1,
        levels=(1.2, 1.5, 1.8, 2.2, 2.8),
        extreme=8,
        source="nnU-Net augments with 0.7 to 1.5; beyond is our choice",
    )
    modalities = ("MR", "other")
    elsewhere = CALIBRATED

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        (high,) = scan.percentile([99])
        width = torch.where(high > scan.floor, high - scan.floor, scan.signal.clamp(min=TINY))
        share = (scan.voxels - scan.floor) / width
        return scan.with_voxels(share ** (parameter ** _sign(generator)) * width + scan.floor)


@CORRUPTIONS.register_module()
class WindowShift(Corruption):
    """An offset, cut off at the ends of the scan's own range, as another contrast phase or an export by a window gives.

    The cut is what a system that scales each case to its own range notices.
    """

    severities = Severities(
        parameter="offset, cut off at the ends of the range",
        unit=f"{SIGNAL}; in CT 1 % is 10 HU",
        neutral=0,
        levels=(3, 6, 9, 12, 16),
        extreme=60,
        source="contrast phases move liver by 50 HU and vessels by 150 HU; for MR our choice",
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        moved = scan.voxels + _sign(generator) * parameter / 100 * scan.signal
        return scan.with_voxels(torch.minimum(torch.maximum(moved, scan.floor), scan.ceiling))


@CORRUPTIONS.register_module()
class ContrastInversion(Corruption):
    """Tissues in reversed order of brightness, as between T1- and T2-weighting; air stays dark.

    The foreground is where the mean over 3 x 3 x 3 voxels passes a fifth of the signal, so that the noise of air stays
    what it is; it is mirrored about the middle of its 2nd and 98th percentiles. On the way the contrast vanishes before
    it is turned round.
    """

    severities = Severities(
        parameter="way from the contrast to its mirror image",
        unit="%",
        neutral=0,
        levels=(20, 40, 60, 80, 100),
        extreme=100,
        source="T1- against T2-weighting turns the order of the tissues round; the steps are our choice",
    )
    modalities = ("MR",)
    elsewhere = "its contrast cannot be inverted"

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        changed = [
            self._of_channel(*channel, parameter) for channel in zip(scan.voxels, scan.floor, scan.signal, strict=True)
        ]
        return scan.with_voxels(torch.stack(changed))

    @staticmethod
    def _of_channel(voxels: Tensor, floor: Tensor, signal: Tensor, parameter: float) -> Tensor:
        smooth = functional.avg_pool3d((voxels - floor)[None, None], 3, stride=1, padding=1, count_include_pad=False)
        is_tissue = smooth[0, 0] > 0.2 * signal
        if not is_tissue.any():
            return voxels
        tissue = voxels[is_tissue].sort().values
        low, high = tissue[int(0.02 * (len(tissue) - 1))], tissue[int(0.98 * (len(tissue) - 1))]
        mirrored = (low + high - voxels).clamp(min=float(floor))
        return torch.where(is_tissue, torch.lerp(voxels, mirrored, parameter / 100), voxels)
