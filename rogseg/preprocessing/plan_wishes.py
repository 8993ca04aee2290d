"""What a user wants of a plan whatever the data say: another grid, or patches that a small machine can train on."""

import dataclasses
from collections.abc import Callable

from rogseg.task_plan import TaskPlan, Triple, check_percentiles

__all__ = ["NO_WISHES", "PlanWishes", "network_stride"]

CROP_MARGIN = 20  # [voxels], what a rotated patch needs around it
DEEPER_STEPS = 4  # the lattice of ROG halves twice more below the strides of the plan


@dataclasses.dataclass(frozen=True)
class PlanWishes:
    """Entries of a plan that are given; None leaves them to the data.

    Args:
        spacing: of the network's grid [mm].
        patch_size: of training and of the window [voxels].
        percentiles: of each case that become 0 and 1 in rescaled channels, of a plan that is made from the data.
        fits: whether a plan can be trained on; the patch is made smaller until it says so.

    Raises:
        ValueError: a spacing or a length is not positive, or percentiles are none.
    """

    spacing: tuple[float, float, float] | None = None
    patch_size: Triple | None = None
    percentiles: tuple[float, float] | None = None
    fits: Callable[[TaskPlan], bool] | None = None

    def __post_init__(self) -> None:
        for name, values in (("spacing", self.spacing), ("patch_size", self.patch_size)):
            if values is not None and (len(values) != 3 or not all(0 < value < 1e6 for value in values)):
                raise ValueError(f"{name} must be three positive numbers, got {values}")

        if self.percentiles is not None:
            check_percentiles(self.percentiles, "the plan")

    def applied_to(self, plan: TaskPlan) -> TaskPlan:
        """The plan with the wishes in it.

        Raises:
            ValueError: the network's strides do not divide the patch, no patch fits, or the plan's intensities are
                given already.
        """
        if any(channel.rescale and self.percentiles not in (None, channel.percentiles) for channel in plan.channels):
            raise ValueError(
                f"the plan of task {plan.name!r} has intensity numbers already, which other percentiles would make "
                "wrong; store the task in another folder, without a plan"
            )
        if self.spacing is not None:
            plan = dataclasses.replace(plan, spacing=self.spacing)
        if self.patch_size is not None:
            _check_patch(plan, self.patch_size)
            plan = _with_patch(plan, self.patch_size)
        while self.fits is not None and not self.fits(plan):
            plan = _with_patch(plan, _smaller(plan))
        return plan


NO_WISHES = PlanWishes()


def network_stride(plan: TaskPlan) -> Triple:
    """How many voxels of the inputs become one at the network's lowest level, along each axis."""
    first, second, third = (step * DEEPER_STEPS for step in plan.plan_stride)
    return first, second, third


def _check_patch(plan: TaskPlan, patch: Triple) -> None:
    strides = network_stride(plan)
    if patch == strides:
        raise ValueError(
            f"a patch of {patch} voxels is a single one at the network's lowest level, which has nothing to compare; "
            "take a larger one"
        )
    if any(length % step for length, step in zip(patch, strides, strict=True)):
        near = tuple(max(step, round(length / step) * step) for length, step in zip(patch, strides, strict=True))
        raise ValueError(
            f"a patch of {patch} voxels is not divided by the network's strides {strides} of task {plan.name!r}; the "
            f"nearest that is has {near}"
        )


def _with_patch(plan: TaskPlan, patch: Triple) -> TaskPlan:
    crops = [min(length + CROP_MARGIN, max(length, crop)) for length, crop in zip(patch, plan.crop_size, strict=True)]
    return dataclasses.replace(plan, patch_size=patch, crop_size=(crops[0], crops[1], crops[2]), window_size=patch)


def _smaller(plan: TaskPlan) -> Triple:
    """The patch with its longest axis, in strides, cut by a quarter or to the next stride below."""
    strides = network_stride(plan)
    steps = [length // step for length, step in zip(plan.patch_size, strides, strict=True)]
    axis = max(range(3), key=lambda axis: (plan.patch_size[axis], axis) if steps[axis] > 1 else (0, axis))
    if sum(steps) <= 4:  # the next would be a single voxel at the network's lowest level
        raise ValueError(
            f"task {plan.name!r} does not fit even with patches of {plan.patch_size} voxels; allow more memory, or "
            "take a coarser --spacing"
        )
    lengths = list(plan.patch_size)
    lengths[axis] = max(1, steps[axis] * 3 // 4) * strides[axis]
    return lengths[0], lengths[1], lengths[2]
