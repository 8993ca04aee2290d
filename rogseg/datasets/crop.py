"""Which case a patch is of, where it is cut out, and how a region that leaves the volume is read."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import Region
from rogseg.storage import StoredCase
from rogseg.task_plan import Triple

__all__ = ["drawn_case", "part_inside", "patch_start", "random_start", "read_crop"]


def drawn_case(draw: int, num_cases: int, seed: int) -> int:
    """Which case a patch is of, by how many were drawn before: each run through the cases is a new permutation."""
    cycle, position = divmod(draw, num_cases)
    return int(np.random.default_rng([2, seed, cycle]).permutation(num_cases)[position])


def patch_start(centre: Sequence[int], patch_size: Triple, shape: Sequence[int]) -> Triple:
    """First voxel of the patch around `centre`, moved to lie inside the volume.

    Along an axis that is shorter than the patch, the volume is centred in the patch and the start is negative.
    """
    starts = []
    for middle, extent, length in zip(centre, patch_size, shape, strict=True):
        if length <= extent:
            starts.append(-((extent - length) // 2))
        else:
            starts.append(min(max(middle - extent // 2, 0), length - extent))
    return starts[0], starts[1], starts[2]


def random_start(generator: np.random.Generator, patch_size: Triple, shape: Sequence[int]) -> Triple:
    """First voxel of a patch drawn uniformly from those inside the volume."""
    centre = [
        int(generator.integers(max(length - extent, 0) + 1)) + extent // 2
        for extent, length in zip(patch_size, shape, strict=True)
    ]
    return patch_start(centre, patch_size, shape)


def read_crop(case: StoredCase, start: Sequence[int], size: Triple) -> tuple[Tensor, Tensor, Tensor]:
    """Read a region that may leave the volume; outside of it is 0.

    Args:
        case: the case.
        start: first voxel, possibly negative.
        size: extent [voxels].

    Returns:
        (C, *size) float32 [network units]; (*size) uint8 class indices, zeros where the case has no label; and
        (1, *size) bool, whether a voxel is one of the case.
    """
    shape = case.properties.network_shape
    inputs = torch.zeros(case.shape[0], *size)
    targets = torch.zeros(size, dtype=torch.uint8)
    movable = torch.zeros(1, *size, dtype=torch.bool)
    read, place = part_inside(start, size, shape)
    if all(part.start < part.stop for part in read):
        inputs[(slice(None), *place)] = torch.from_numpy(case.read_image(read))
        movable[(slice(None), *place)] = True
        label = case.read_label(read)
        if label is not None:
            targets[place] = torch.from_numpy(label)
    return inputs, targets, movable


def part_inside(start: Sequence[int], size: Triple, shape: Sequence[int]) -> tuple[Region, Region]:
    """The part of a region that lies in a volume of that shape: where in the volume, and where in the region."""
    lows = [max(first, 0) for first in start]
    highs = [min(first + extent, length) for first, extent, length in zip(start, size, shape, strict=True)]
    (a, b, c), (d, e, f) = (
        [slice(low - first, high - first) for low, high, first in zip(lows, highs, corner, strict=True)]
        for corner in ((0, 0, 0), start)
    )
    return (a, b, c), (d, e, f)
