"""ClipToBox: the last transform of every pipeline."""

import numpy as np

from rogseg.datasets.sample import Sample
from rogseg.datasets.transforms.base import Transform
from rogseg.registry import TRANSFORMS

__all__ = ["ClipToBox"]


@TRANSFORMS.register_module()
class ClipToBox(Transform):
    """Clips the inputs to the case's intensity box, so that training sees the set of inputs that attacks may use."""

    def __call__(self, sample: Sample, generator: np.random.Generator) -> Sample:
        """Transform one sample; see `Transform`."""
        return {**sample, "inputs": sample["inputs"].clamp(sample["box_lower"], sample["box_upper"])}
