"""ClipToBox: the last transform of every pipeline."""

import numpy as np
from torch import Tensor

from rogseg.cases import Case
from rogseg.datasets.transforms.base import IntensityTransform
from rogseg.registry import TRANSFORMS

__all__ = ["ClipToBox"]


@TRANSFORMS.register_module()
class ClipToBox(IntensityTransform):
    """Clips the inputs to the case's intensity box, so that training sees the set of inputs that attacks may use."""

    def intensities(self, case: Case, generator: np.random.Generator) -> Tensor:
        """See `IntensityTransform`."""
        return case.inputs.clamp(case.box.lower, case.box.upper)
