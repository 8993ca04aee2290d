"""ClipToBox: the last transform of every pipeline."""

import dataclasses

import numpy as np

from rogseg.cases import Case
from rogseg.datasets.transforms.base import Transform
from rogseg.registry import TRANSFORMS

__all__ = ["ClipToBox"]


@TRANSFORMS.register_module()
class ClipToBox(Transform):
    """Clips the inputs to the case's intensity box, so that training sees the set of inputs that attacks may use."""

    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; see `Transform`."""
        return dataclasses.replace(case, inputs=case.inputs.clamp(case.box.lower, case.box.upper))
