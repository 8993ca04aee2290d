"""RandomMirror: flips along the axes."""

from collections.abc import Sequence

import numpy as np

from rogseg.cases import Case
from rogseg.datasets.transforms.base import Transform, change_grid, check_probability
from rogseg.registry import TRANSFORMS

__all__ = ["RandomMirror"]


@TRANSFORMS.register_module()
class RandomMirror(Transform):
    """Flips along each of the given axes with the same probability.

    Args:
        axes: spatial axes, 0 to 2; leave out an axis along which left and right are different classes.
        probability: of a flip, per axis.
    """

    def __init__(self, axes: Sequence[int] = (0, 1, 2), probability: float = 0.5) -> None:
        if not set(axes) <= {0, 1, 2}:
            raise ValueError(f"axes are {tuple(axes)}, spatial axes are 0, 1 and 2")
        self.axes = tuple(axes)
        self.probability = check_probability(probability)

    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; see `Transform`."""
        drawn = generator.random(len(self.axes)) < self.probability
        flipped = [axis - 3 for axis, flip in zip(self.axes, drawn, strict=True) if flip]
        return change_grid(case, lambda values: values.flip(flipped)) if flipped else case
