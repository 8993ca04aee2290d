"""CentreCrop: the middle of a crop."""

from collections.abc import Sequence

import numpy as np

from rogseg.cases import Case
from rogseg.datasets.transforms.base import Transform, change_grid
from rogseg.registry import TRANSFORMS

__all__ = ["CentreCrop"]


@TRANSFORMS.register_module()
class CentreCrop(Transform):
    """Cuts out the centre; a case that has the size already passes.

    Args:
        patch_size: extent of the result [voxels].
    """

    def __init__(self, patch_size: Sequence[int]) -> None:
        self.patch_size = tuple(patch_size)

    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; see `Transform`.

        Raises:
            ValueError: the case is smaller than the patch.
        """
        size = tuple(case.inputs.shape[2:])
        if any(extent < length for extent, length in zip(size, self.patch_size, strict=True)):
            raise ValueError(f"case {case.case_id!r}: a crop of {size} has no patch of {self.patch_size}")
        starts = [(extent - length) // 2 for extent, length in zip(size, self.patch_size, strict=True)]
        rows, columns, slices = (slice(first, first + n) for first, n in zip(starts, self.patch_size, strict=True))
        return change_grid(case, lambda values: values[..., rows, columns, slices].contiguous())
