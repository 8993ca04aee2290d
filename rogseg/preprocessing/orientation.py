"""Where the axes of a volume point, and the way between the order of a file and that of a plan.

A plan may say where the axes of the network's grid point, such as ``RAS``: to the patient's right, front and head. A
file that is stored in another order shows the same patient; its axes are exchanged and turned around, voxel by voxel,
before anything else is done, and those of its prediction afterwards.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

import nibabel
import numpy as np
from numpy.typing import NDArray

from rogseg.storage import Axes
from rogseg.task_plan import Triple

__all__ = [
    "SAME_AXES",
    "axes_between",
    "axes_of_file",
    "from_plan_order",
    "in_plan_order",
    "most_common_orientation",
    "orientation_of",
    "plan_to_file",
    "to_plan_order",
]

SAME_AXES: Axes = (1, 2, 3)

_ENDS = ("LR", "PA", "IS")
_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}

Value = TypeVar("Value")
Scalar = TypeVar("Scalar", bound=np.generic)


def orientation_of(affine: NDArray[np.float64]) -> str:
    """The three letters of an affine (4x4), each the direction that its axis comes nearest to."""
    rows = np.abs(affine[:3, :3]).argmax(axis=0).tolist()
    if sorted(rows) != [0, 1, 2]:  # so oblique that two axes come nearest to one direction
        return "".join(nibabel.aff2axcodes(affine))
    return "".join(_ENDS[row][int(affine[row, column] > 0)] for column, row in enumerate(rows))


def most_common_orientation(found: Iterable[str]) -> str | None:
    """What most volumes have, the first of them where several are as common; None of none."""
    counts = Counter(found)
    return max(counts, key=lambda entry: counts[entry]) if counts else None


def axes_between(file: str, plan: str) -> Axes:
    """Which axis of the file each axis of the plan's order is, and whether it is turned around."""
    axes = []
    for letter in plan:
        if letter in file:
            axes.append(file.index(letter) + 1)
        else:
            axes.append(-(file.index(_OPPOSITE[letter]) + 1))
    return axes[0], axes[1], axes[2]


def axes_of_file(path: object, file: str | None, plan: str | None) -> Axes:
    """The same for a file that may not say where its axes point, and a plan that may not ask.

    Raises:
        ValueError: the plan asks and the file does not say.
    """
    if plan is None:
        return SAME_AXES
    if file is None:
        raise ValueError(
            f"{path}: its header says nothing of where the axes point (qform_code and sform_code are 0), and the task "
            f"is planned for {plan}; set sform or qform in the header"
        )
    return axes_between(file, plan)


def in_plan_order(values: tuple[Value, Value, Value], axes: Axes) -> tuple[Value, Value, Value]:
    """Lengths or spacings of a file, one per axis, in the plan's order."""
    first, second, third = (values[abs(axis) - 1] for axis in axes)
    return first, second, third


def to_plan_order(array: NDArray[Scalar], axes: Axes) -> NDArray[Scalar]:
    """The last three axes in the plan's order; the array itself where they are in it already, else a copy."""
    if axes == SAME_AXES:
        return array
    lead = array.ndim - 3
    moved = np.transpose(array, (*range(lead), *(lead + abs(axis) - 1 for axis in axes)))
    turned = tuple(slice(None, None, -1) if axis < 0 else slice(None) for axis in axes)
    return np.ascontiguousarray(moved[(..., *turned)])


def from_plan_order(array: NDArray[Scalar], axes: Axes) -> NDArray[Scalar]:
    """What `to_plan_order` undoes: the last three axes in the order of the file."""
    back = [0, 0, 0]
    for place, axis in enumerate(axes, start=1):
        back[abs(axis) - 1] = place if axis > 0 else -place
    return to_plan_order(array, (back[0], back[1], back[2]))


def plan_to_file(axes: Axes, file_shape: Triple) -> NDArray[np.float64]:
    """The matrix (4x4) from voxels in the plan's order to voxels of the file."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for place, axis in enumerate(axes):
        of_file = abs(axis) - 1
        matrix[of_file, place] = np.sign(axis)
        if axis < 0:
            matrix[of_file, 3] = file_shape[of_file] - 1
    return matrix
