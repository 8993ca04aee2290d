"""RandomGamma: a power law over the intensities."""

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import Case
from rogseg.datasets.transforms.base import IntensityTransform, check_probability
from rogseg.registry import TRANSFORMS

__all__ = ["RandomGamma"]


@TRANSFORMS.register_module()
class RandomGamma(IntensityTransform):
    """Raises each channel, mapped from its intensity box to [0, 1], to a power, and maps it back.

    Args:
        gamma_range: smallest and largest exponent; drawn per channel, as often under as over 1.
        probability: of the whole transform.

    Source: gamma augmentation as in the paper's pipeline, over the case's box instead of the patch's own extremes, so
    that a patch is changed in the same way wherever it was cut out and stays inside the box.
    """

    def __init__(self, gamma_range: tuple[float, float] = (0.7, 1.5), probability: float = 0.3) -> None:
        if not 0 < gamma_range[0] <= 1 <= gamma_range[1]:
            raise ValueError(f"gamma_range is {gamma_range}, it must be two positive numbers around 1")
        self.gamma_range = gamma_range
        self.probability = check_probability(probability)

    def intensities(self, case: Case, generator: np.random.Generator) -> Tensor:
        """See `IntensityTransform`."""
        if generator.random() >= self.probability:
            return case.inputs
        lower, width = case.box.lower, case.box.width
        low, high = self.gamma_range
        gammas = [
            generator.uniform(low, 1.0) if generator.random() < 0.5 else generator.uniform(1.0, high)
            for _ in range(lower.shape[1])
        ]
        exponents = torch.tensor(gammas, dtype=torch.float32).view(-1, 1, 1, 1)
        share = ((case.inputs - lower) / width).clamp_(0, 1)
        return share.pow_(exponents).mul_(width).add_(lower)
