"""CentreCrop: the middle of a crop."""

from collections.abc import Sequence

import numpy as np

from rogseg.datasets.sample import Sample
from rogseg.datasets.transforms.base import Transform
from rogseg.registry import TRANSFORMS

__all__ = ["CentreCrop"]


@TRANSFORMS.register_module()
class CentreCrop(Transform):
    """Cuts out the centre; a sample that has the size already passes.

    Args:
        patch_size: extent of the result [voxels].
    """

    def __init__(self, patch_size: Sequence[int]) -> None:
        self.patch_size = tuple(patch_size)

    def __call__(self, sample: Sample, generator: np.random.Generator) -> Sample:
        """Transform one sample; see `Transform`.

        Raises:
            ValueError: the sample is smaller than the patch.
        """
        size = tuple(sample["targets"].shape)
        if any(extent < length for extent, length in zip(size, self.patch_size, strict=True)):
            raise ValueError(f"case {sample['case_id']!r}: a crop of {size} has no patch of {self.patch_size}")
        starts = [(extent - length) // 2 for extent, length in zip(size, self.patch_size, strict=True)]
        region = tuple(slice(start, start + length) for start, length in zip(starts, self.patch_size, strict=True))
        return {
            **sample,
            "inputs": sample["inputs"][(slice(None), *region)].contiguous(),
            "targets": sample["targets"][region].contiguous(),
            "inside": sample["inside"][(slice(None), *region)].contiguous(),
        }
