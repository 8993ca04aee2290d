"""Transform: one step between the crop that is read and the patch that is trained on."""

from abc import ABC, abstractmethod

import numpy as np

from rogseg.datasets.sample import Sample

__all__ = ["Transform"]


class Transform(ABC):
    """Maps a sample to a sample; draws random numbers only from the generator that it is given."""

    @abstractmethod
    def __call__(self, sample: Sample, generator: np.random.Generator) -> Sample:
        """Transform one sample; the one that is passed in stays as it is."""


def check_probability(probability: float) -> float:
    """Give the probability back.

    Raises:
        ValueError: it is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability is {probability}, it must lie in [0, 1]")
    return probability
