"""SmoothingNoise: the noise under which a network is certified."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import Case
from rogseg.datasets.transforms.base import IntensityTransform
from rogseg.registry import TRANSFORMS

__all__ = ["SmoothingNoise"]


@TRANSFORMS.register_module()
class SmoothingNoise(IntensityTransform):
    """Adds the Gaussian noise that `rogseg.certification` adds, so that the network can see through it.

    ``ClipToBox`` follows, as it stands in front of the network when it is certified.

    Args:
        sigmas: standard deviations as fractions of the box's width; each patch gets one of them.

    Raises:
        ValueError: there is no sigma, or one is not positive.

    Source: Cohen et al. 2019 train so, with one sigma for each network.
    """

    def __init__(self, sigmas: Sequence[float] = (0.25, 0.5)) -> None:
        if not sigmas or min(sigmas) <= 0:
            raise ValueError(f"sigmas is {sigmas}, it must hold positive fractions of the box's width, such as 0.25")
        self.sigmas = tuple(sigmas)

    def intensities(self, case: Case, generator: np.random.Generator) -> Tensor:
        """See `IntensityTransform`."""
        sigma = self.sigmas[int(generator.integers(len(self.sigmas)))]
        noise = torch.from_numpy(generator.standard_normal(tuple(case.inputs.shape), dtype=np.float32))
        return noise.mul_(sigma * case.box.width).add_(case.inputs)
