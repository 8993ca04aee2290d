"""Where a patch is cut out of a case, and how a region that leaves the volume is read."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rogseg.storage import StoredCase
from rogseg.task_plan import Triple

__all__ = ["patch_start", "random_start", "read_crop"]


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
    lows = [max(first, 0) for first in start]
    highs = [min(first + extent, length) for first, extent, length in zip(start, size, shape, strict=True)]
    inputs = torch.zeros(case.shape[0], *size)
    targets = torch.zeros(size, dtype=torch.uint8)
    movable = torch.zeros(1, *size, dtype=torch.bool)
    if all(low < high for low, high in zip(lows, highs, strict=True)):
        read = (slice(lows[0], highs[0]), slice(lows[1], highs[1]), slice(lows[2], highs[2]))
        place = tuple(slice(low - first, high - first) for low, high, first in zip(lows, highs, start, strict=True))
        inputs[(slice(None), *place)] = torch.from_numpy(case.read_image(read))
        movable[(slice(None), *place)] = True
        label = case.read_label(read)
        if label is not None:
            targets[place] = torch.from_numpy(label)
    return inputs, targets, movable
