"""What X-rays of many energies do in CT: streaks beside metal, and cupping; models of their look, not their physics."""

import math

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from rogseg.corruptions.base import Corruption, Severities
from rogseg.corruptions.scan import Scan
from rogseg.registry import CORRUPTIONS

__all__ = ["BeamHardening", "MetalStreaks"]

BODY = -500.0
"""[HU]: what is denser is body."""
METAL, METAL_RADIUS = 3000.0, 3.0
"""[HU] and [mm]."""
REACH = 60.0
"""[mm] over which streaks fade."""
NUM_WAVES = 12
OF_CT = "only CT measures with X-rays"


@CORRUPTIONS.register_module()
class MetalStreaks(Corruption):
    """A piece of metal in a third of the slices, from which bright and dark streaks run out and fade.

    It lies at the densest place of the middle one of these slices, mostly bone. In a slice the streaks are a sum of
    waves over the angle.
    """

    severities = Severities(
        parameter="height of the streaks beside the metal",
        unit="HU",
        neutral=0,
        levels=(50, 100, 200, 350, 500),
        extreme=3000,
        source="streaks beside hip and dental implants, as Boas and Fleischmann 2012 show them; the steps are "
        "our choice",
    )
    modalities = ("CT",)
    elsewhere = OF_CT

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        voxels = scan.voxels.movedim(scan.slice_axis + 1, 1).clone()
        count, thick = voxels.shape[1], max(1, round(voxels.shape[1] / 3))
        # Around a slice of the middle half, where most targets lie.
        middle = count * (0.25 + 0.5 * float(torch.rand((), generator=generator)))
        first = min(max(0, round(middle - thick / 2)), count - thick)
        densest = int(voxels[0, first + thick // 2].argmax())
        row, column = divmod(densest, voxels.shape[3])
        steps = [float(scan.spacing[axis]) for axis in scan.plane_axes]
        x = (torch.arange(voxels.shape[2]) - row)[:, None] * steps[0]
        y = (torch.arange(voxels.shape[3]) - column)[None, :] * steps[1]
        radius = torch.hypot(x, y)
        pattern = self._pattern(torch.atan2(x, y), generator)
        part = voxels[:, first : first + thick]
        part += parameter * pattern * torch.exp(-radius / REACH) * (part > BODY)
        part[..., radius <= METAL_RADIUS] = METAL
        return scan.with_voxels(voxels.movedim(1, scan.slice_axis + 1).contiguous())

    @staticmethod
    def _pattern(angle: Tensor, generator: torch.Generator) -> Tensor:
        rates = torch.randint(3, 24, (NUM_WAVES,), generator=generator)
        phases = torch.rand(NUM_WAVES, generator=generator) * 2 * math.pi
        waves = torch.cos(angle[..., None] * rates + phases).sum(-1)
        return waves / waves.abs().max()


@CORRUPTIONS.register_module()
class BeamHardening(Corruption):
    """Cupping: what lies deep in the body is too dark, by an amount that grows with its depth in the slice."""

    severities = Severities(
        parameter="cupping in the depth of the body",
        unit="HU",
        neutral=0,
        levels=(10, 25, 50, 80, 120),
        extreme=900,
        source="cupping as Barrett and Keat 2004 show it; the steps are our choice",
    )
    modalities = ("CT",)
    elsewhere = OF_CT

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        voxels = scan.voxels.movedim(scan.slice_axis + 1, 1)
        steps = [scan.spacing[axis] for axis in scan.plane_axes]
        depth = np.zeros(voxels.shape, dtype=np.float32)
        for channel, index in np.ndindex(*voxels.shape[:2]):
            # The border of the image ends the body, too.
            body = np.pad(ndimage.binary_fill_holes(voxels[channel, index].numpy() > BODY), 1)
            depth[channel, index] = ndimage.distance_transform_edt(body, sampling=steps)[1:-1, 1:-1]
        deepest = max(float(depth.max()), min(steps))
        hardened = voxels - parameter * torch.from_numpy(depth) / deepest
        return scan.with_voxels(hardened.movedim(1, scan.slice_axis + 1).contiguous())
