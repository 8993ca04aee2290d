"""From the size of the volumes and of the smallest class to patch, crop, window and strides."""

import dataclasses
import math
from collections.abc import Sequence

from rogseg.task_plan import Triple

__all__ = ["Geometry", "plan_geometry"]

LEVELS_FOR_SMALL_CLASSES, LEVELS = 4, 5
SMALL_CLASS_VOXELS = 32**3
LARGE_AXIS, SHARE_OF_LARGE_AXIS = 128, 0.7  # of a long axis only this share is planned for
CROP_MARGIN = 20
MAX_BOTTLENECK = 12 * 12 * 6  # voxels at the lowest level; above it a fifth level is planned
MAX_BOTTLENECK_FIVE_LEVELS = 12 * 12 * 4  # above it the patch is capped at 64 (96 when grown)


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Sizes [voxels] and strides of a plan; see `rogseg.task_plan.TaskPlan`."""

    patch_size: Triple
    crop_size: Triple
    window_size: Triple
    strides: tuple[Triple, Triple, Triple]


@dataclasses.dataclass(frozen=True)
class _Axis:
    patch: int
    num_halvings: int

    @property
    def bottleneck(self) -> float:
        return self.patch / 2**self.num_halvings


def plan_geometry(median_shape: Sequence[float], class_box: Sequence[float], class_volume: float) -> Geometry:
    """Choose the sizes and strides for a task.

    Args:
        median_shape: median size of the volumes at the network's spacing [voxels], the third axis capped at 160.
        class_box: mean bounding box of the class that is smallest on average [voxels].
        class_volume: its mean volume [voxels].

    Raises:
        ValueError: a size is not positive.

    Source: the plans that Daza et al. (2021) published for the ten tasks of the Medical Segmentation Decathlon, all of
    which this rule gives. For other data there is one addition: a window of half a volume is rounded up to a multiple
    of the network's total stride.
    """
    if not all(math.isfinite(value) and value > 0 for value in (*median_shape, *class_box, class_volume)):
        raise ValueError(
            f"planning needs positive sizes, got volumes of {tuple(median_shape)} and a smallest class with box "
            f"{tuple(class_box)} and volume {class_volume}; check that the labels hold foreground"
        )
    sizes = [_planned_size(length) for length in median_shape]
    num_levels = LEVELS_FOR_SMALL_CLASSES if class_volume < SMALL_CLASS_VOXELS else LEVELS
    axes = _plan_axes(sizes, class_box, num_levels, max_exponent=7)
    if _bottleneck(axes) >= MAX_BOTTLENECK:
        num_levels = LEVELS
        axes = _plan_axes(sizes, class_box, num_levels, max_exponent=7)
    if _bottleneck(axes) >= MAX_BOTTLENECK_FIVE_LEVELS:
        axes = _plan_axes(sizes, class_box, num_levels, max_exponent=6)
    return Geometry(
        patch_size=_triple([axis.patch for axis in axes]),
        crop_size=_triple([_crop(axis.patch, size) for axis, size in zip(axes, sizes, strict=True)]),
        window_size=_triple(
            [_window(full, size, axis) for full, size, axis in zip(median_shape, sizes, axes, strict=True)]
        ),
        strides=(_strides(axes, 0), _strides(axes, 1), _strides(axes, 2)),
    )


def _planned_size(length: float) -> float:
    return length * SHARE_OF_LARGE_AXIS if length > LARGE_AXIS else length


def _plan_axes(sizes: Sequence[float], class_box: Sequence[float], num_levels: int, max_exponent: int) -> list[_Axis]:
    return [_plan_axis(size, box, num_levels, max_exponent) for size, box in zip(sizes, class_box, strict=True)]


def _plan_axis(size: float, box: float, num_levels: int, max_exponent: int) -> _Axis:
    exponent = _exponent(size, max_exponent)
    num_halvings = max(0, min(math.floor(math.log2(max(box, 1))), num_levels, exponent - 2))
    axis = _Axis(2**exponent, num_halvings)
    if num_levels == LEVELS and axis.bottleneck >= 8:
        return axis
    return _Axis(_grown(axis.patch, size), num_halvings)


def _exponent(size: float, maximum: int) -> int:
    return min(math.floor(math.log2(max(size, 1))), maximum)


def _grown(length: int, size: float) -> int:
    return length * 3 // 2 if length * 1.5 < size else length


def _crop(patch: int, size: float) -> int:
    return patch + CROP_MARGIN if patch + CROP_MARGIN < size else patch


def _window(full: float, size: float, axis: _Axis) -> int:
    stride = 2**axis.num_halvings
    half = math.ceil(full / 2 / stride) * stride
    return max(half, _grown(2 ** _exponent(size, 7), size))


def _bottleneck(axes: Sequence[_Axis]) -> float:
    return math.prod(axis.bottleneck for axis in axes)


def _strides(axes: Sequence[_Axis], level: int) -> Triple:
    # The last levels halve, so a network of four levels is one of five whose first has stride 1.
    return _triple([2 if level >= LEVELS - axis.num_halvings else 1 for axis in axes])


def _triple(values: Sequence[int]) -> Triple:
    first, second, third = values
    return first, second, third
