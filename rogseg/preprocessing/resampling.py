"""Resampling of images, label maps and probabilities between grids of the same extent.

Everything is done in slabs of the last axis, so that beside input and output only little memory is needed.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.axis_resampling import AxisBlock, Order, axis_blocks, resample_axis
from rogseg.preprocessing.memory_limit import MAX_VOXELS, check_memory
from rogseg.task_plan import TaskPlan, Triple

__all__ = [
    "checked_shape",
    "coarse_axis",
    "network_shape",
    "resample_image",
    "resample_labels",
    "resample_maps",
    "resample_probabilities",
    "resampled_shape",
]

ANISOTROPY = 3.0
FEW_VOXELS, MOST_SHRINKING = 8, 4  # an axis that shrinks by more than that to less than that shows nothing any more
_SLAB = 128  # new voxels of the last axis; neighbouring slabs share the reach of the spline, so thin ones cost more
_CLASS_SLAB = 32


def resampled_shape(shape: Sequence[int], spacing: Sequence[float], new_spacing: Sequence[float]) -> Triple:
    """The number of voxels that cover the same extent at another spacing [mm], at least one per axis."""
    first, second, third = (
        max(1, round(length * old / new)) for length, old, new in zip(shape, spacing, new_spacing, strict=True)
    )
    return first, second, third


def network_shape(shape: Sequence[int], spacing: Sequence[float], plan: TaskPlan, where: object) -> Triple:
    """The number of voxels of a volume on the network's grid, as `checked_shape` gives it for a plan."""
    return checked_shape(shape, spacing, plan.spacing, plan.num_channels, where, f"task {plan.name!r}")


def checked_shape(
    shape: Sequence[int],
    spacing: Sequence[float],
    new_spacing: Sequence[float],
    num_channels: int,
    where: object,
    wanted_by: str,
) -> Triple:
    """`resampled_shape` where it makes sense.

    Args:
        shape: in the order of the new grid's axes [voxels].
        spacing: in that order [mm].
        new_spacing: of the new grid [mm].
        num_channels: of the volume.
        where: names the file or case in messages.
        wanted_by: whose the new spacing is, for messages.

    Raises:
        ValueError: next to nothing would be left of the volume, or more than memory holds; its spacing is hardly right.
    """
    new = resampled_shape(shape, spacing, new_spacing)
    steps = ", ".join(f"{step:g}" for step in spacing)
    numbers = (
        f"{where}: {tuple(shape)} voxels of {steps} mm become {new} at the {', '.join(f'{s:g}' for s in new_spacing)} "
        f"mm of {wanted_by}"
    )
    remedy = "correct the spacing or the unit of length (xyzt_units) in the header"
    for old, length in zip(shape, new, strict=True):
        if length < FEW_VOXELS and old > MOST_SHRINKING * length:
            raise ValueError(f"{numbers}, of which next to nothing is left; {remedy}")
    voxels = num_channels * math.prod(new)
    if math.prod(new) > MAX_VOXELS:
        raise ValueError(f"{numbers}, more than any network takes; {remedy}")
    check_memory(voxels * 4 * 2, numbers, remedy)  # the image, and what is in work of it
    return new


def coarse_axis(spacing: Sequence[float], new_spacing: Sequence[float]) -> int | None:
    """The axis that is resampled by nearest neighbour, if any.

    That is the coarsest axis of the old grid, else of the new one, where it is over 3 times coarser than the finest and
    the only coarsest one.

    Source: nnU-Net (Isensee et al. 2021), resampling of anisotropic data.
    """
    for steps in (spacing, new_spacing):
        coarsest = max(steps)
        if coarsest > ANISOTROPY * min(steps):
            axes = [axis for axis, step in enumerate(steps) if math.isclose(step, coarsest, rel_tol=1e-3)]
            return axes[0] if len(axes) == 1 else None
    return None


def resample_image(
    image: NDArray[np.float32], shape: Triple, nearest_axis: int | None = None, order: Order = 3
) -> NDArray[np.float32]:
    """Resample a (C, D, H, W) image by splines, cubic or of another order, its `nearest_axis` by nearest neighbour.

    Axes whose length stays are not touched, so an equal shape gives the image itself, bit for bit.
    """
    if image.shape[1:] == shape:
        return image
    result = np.empty((image.shape[0], *shape), dtype=np.float32)
    for block in axis_blocks(image.shape[3], shape[2], _order(2, nearest_axis, order), _SLAB):
        for source, target in zip(image, result, strict=True):
            target[:, :, block.rows] = _resample_slab(source[:, :, block.columns], shape, nearest_axis, order, block)
    return result


def resample_labels(
    labels: NDArray[np.uint8], num_classes: int, shape: Triple, nearest_axis: int | None = None
) -> NDArray[np.uint8]:
    """Resample a (D, H, W) map of class indices without inventing a class between two others.

    Each class is interpolated linearly by itself and the highest share wins (the lower index at a tie).
    """
    if labels.shape == shape:
        return labels

    def share(index: int, columns: slice) -> NDArray[np.float32] | None:
        mask = labels[:, :, columns] == index
        return mask.astype(np.float32) if mask.any() else None

    return _highest(share, num_classes, labels.shape[2], shape, nearest_axis)


def resample_probabilities(
    probabilities: NDArray[Any], shape: Triple, nearest_axis: int | None = None
) -> NDArray[np.uint8]:
    """Resample (K, D, H, W) probabilities (or logits) linearly and give the highest class, (D, H, W)."""
    if probabilities.shape[1:] == shape:
        return np.argmax(probabilities, axis=0).astype(np.uint8)

    def share(index: int, columns: slice) -> NDArray[np.float32]:
        return probabilities[index][:, :, columns].astype(np.float32, copy=False)

    return _highest(share, probabilities.shape[0], probabilities.shape[3], shape, nearest_axis)


def resample_maps(maps: NDArray[np.float32], shape: Triple, nearest_axis: int | None = None) -> NDArray[np.float32]:
    """Resample (K, D, H, W) probabilities linearly, map by map: the highest of them is `resample_probabilities`."""
    if maps.shape[1:] == shape:
        return maps
    result = np.empty((maps.shape[0], *shape), dtype=np.float32)
    for block in axis_blocks(maps.shape[3], shape[2], _order(2, nearest_axis, 1), _CLASS_SLAB):
        for source, target in zip(maps, result, strict=True):
            target[:, :, block.rows] = _resample_slab(source[:, :, block.columns], shape, nearest_axis, 1, block)
    return result


def _order(axis: int, nearest_axis: int | None, order: Order) -> Order:
    return 0 if axis == nearest_axis else order


def _resample_slab(
    slab: NDArray[np.float32], shape: Triple, nearest_axis: int | None, order: Order, block: AxisBlock
) -> NDArray[np.float32]:
    """Resample the first two axes, the one that shrinks most first, then the last as `block` says."""
    for axis in sorted((0, 1), key=lambda axis: shape[axis] / slab.shape[axis]):
        slab = resample_axis(slab, axis, shape[axis], _order(axis, nearest_axis, order))
    return block.apply_to_last(slab)


def _highest(
    share: Callable[[int, slice], NDArray[np.float32] | None],
    num_classes: int,
    old_length: int,
    shape: Triple,
    nearest_axis: int | None,
) -> NDArray[np.uint8]:
    result = np.zeros(shape, dtype=np.uint8)
    for block in axis_blocks(old_length, shape[2], _order(2, nearest_axis, 1), _CLASS_SLAB):
        best: NDArray[np.float32] | None = None
        winners = result[:, :, block.rows]
        for index in range(num_classes):
            source = share(index, block.columns)
            if source is None:
                continue
            part = _resample_slab(source, shape, nearest_axis, 1, block)
            if best is None:
                best = part
                winners[...] = index
            else:
                winners[part > best] = index
                best = np.maximum(best, part)
    return result
