"""The patient lies elsewhere, has another size, or moves during the scan."""

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn import functional

from rogseg.corruptions.base import Corruption, Severities
from rogseg.corruptions.k_space import OF_MR, drawn_plane_axis, frequencies
from rogseg.corruptions.scan import Scan
from rogseg.registry import CORRUPTIONS

__all__ = ["Motion", "Rotation", "Scaling", "moved_labels", "moved_volume"]

NUM_MOVEMENTS = 4


def rotation(axis: int, angle: float) -> Tensor:
    """The matrix (3, 3) that turns about a spatial axis by an angle [degrees]."""
    first, second = (other for other in range(3) if other != axis)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    matrix = torch.eye(3)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def sampling_grid(scan: Scan, matrix: Tensor, shift: Tensor) -> Tensor:
    """Where `grid_sample` looks: a point at x [mm from the centre] shows what lay at ``matrix @ x + shift``."""
    shape = scan.voxels.shape[1:]
    halves = torch.tensor([step * length / 2 for step, length in zip(scan.spacing, shape, strict=True)])
    theta = torch.zeros(1, 3, 4)
    # Sampling grids count in halves of the extent, and their last axis comes first.
    theta[0, :, :3] = (matrix * halves[None, :] / halves[:, None]).flip((0, 1))
    theta[0, :, 3] = (shift / halves).flip(0)
    return functional.affine_grid(theta, [1, 1, *shape], align_corners=False)


def moved_volume(scan: Scan, grid: Tensor) -> Tensor:
    """The voxels, interpolated linearly; what comes from outside the field of view is as dark as the darkest voxel."""
    above = (scan.voxels - scan.floor)[None]
    return functional.grid_sample(above, grid, mode="bilinear", align_corners=False)[0] + scan.floor


def moved_labels(labels: Tensor, grid: Tensor) -> Tensor:
    """The label of which most lies there: each label's mask is interpolated as the image is; 0 outside."""
    best, result = torch.full(labels.shape, -1.0), torch.zeros_like(labels)
    outside = 1 - functional.grid_sample(torch.ones(1, 1, *labels.shape), grid, align_corners=False)[0, 0]
    for value in sorted(set(labels.flatten().tolist())):
        mask = (labels == value).float()[None, None]
        share = functional.grid_sample(mask, grid, mode="bilinear", align_corners=False)[0, 0]
        if value == 0:
            share = share + outside
        result = torch.where(share > best, value, result)
        best = torch.maximum(share, best)
    return torch.where(outside > 0.5, 0, result)


def _moved(scan: Scan, matrix: Tensor) -> Scan:
    grid = sampling_grid(scan, matrix, torch.zeros(3))
    labels = None if scan.labels is None else moved_labels(scan.labels, grid)
    return dataclasses.replace(scan, voxels=moved_volume(scan, grid), labels=labels)


@CORRUPTIONS.register_module()
class Rotation(Corruption):
    """The patient lies turned about an axis of the volume, in mm, not voxels; which axis and which way is drawn.

    The label map turns along, so that predictions are scored against where the anatomy is now; what leaves the field of
    view counts nowhere.
    """

    severities = Severities(
        parameter="angle about an axis of the volume",
        unit="degrees",
        neutral=0,
        levels=(4, 8, 12, 16, 20),
        extreme=45,
        source="positioning in a clinic is within 15 degrees, which is what the paper augments with; 20 lies outside",
    )
    moves_anatomy = True

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        axis = int(torch.randint(3, (), generator=generator))
        sign = 1 if float(torch.rand((), generator=generator)) < 0.5 else -1
        return _moved(scan, rotation(axis, sign * parameter))


@CORRUPTIONS.register_module()
class Scaling(Corruption):
    """A patient of another size, or a wrong voxel size in the header: larger or smaller is drawn.

    The label map scales along, as under `Rotation`.
    """

    severities = Severities(
        parameter="change of size, larger or smaller",
        unit="%",
        neutral=0,
        levels=(5, 10, 15, 20, 30),
        extreme=60,
        source="adults differ by 15 % in length; the paper augments with 15 %; 30 are children",
    )
    moves_anatomy = True

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        factor = 1 + parameter / 100
        return _moved(scan, torch.eye(3) * (factor if float(torch.rand((), generator=generator)) < 0.5 else 1 / factor))


@CORRUPTIONS.register_module()
class Motion(Corruption):
    """The patient moves four times during the scan: parts of k-space come from other positions.

    Lines are measured in order along phase encoding; between two movements the head rests. The rest that holds the
    centre of k-space is where the label map lies.

    Source: Shaw et al. 2019. Deviation from ROOD-MRI: four movements at every severity, so that a higher one is the
    same movement, further.
    """

    severities = Severities(
        parameter="largest angle of a movement; as many mm of shift",
        unit="degrees",
        neutral=0,
        levels=(1, 2, 3, 4, 5),
        extreme=25,
        source="ROOD-MRI (Boone et al. 2023) has 1 to 5 degrees, with 2 to 10 voxels; fewer mm here",
    )
    modalities = ("MR",)
    elsewhere = OF_MR

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; see `Corruption`."""
        axis = drawn_plane_axis(scan, generator)
        lines = frequencies(scan, axis)
        ends = (torch.rand(NUM_MOVEMENTS, generator=generator) - 0.5).mul(lines.numel()).sort().values.tolist()
        drawn = torch.rand((NUM_MOVEMENTS, 6), generator=generator) * 2 - 1
        spectrum = torch.fft.fft(scan.voxels - scan.floor, dim=axis + 1)
        rests = list(zip([-math.inf, *ends], [*ends, math.inf], strict=True))
        others = [(first, last) for first, last in rests if not first <= 0 < last]
        for (first, last), position in zip(others, drawn, strict=False):
            turn = torch.eye(3)
            for about in range(3):
                turn = rotation(about, parameter * float(position[about])) @ turn
            grid = sampling_grid(scan, turn, parameter * position[3:])
            elsewhere = torch.fft.fft(moved_volume(scan, grid) - scan.floor, dim=axis + 1)
            spectrum = torch.where((lines >= first) & (lines < last), elsewhere, spectrum)
        return scan.with_magnitude(torch.fft.ifft(spectrum, dim=axis + 1))
