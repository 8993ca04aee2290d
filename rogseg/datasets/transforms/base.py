"""Transform: one step between the crop that is read and the patch that is trained on."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import Case

__all__ = ["IntensityTransform", "Transform"]


class Transform(ABC):
    """Maps a case to a case; draws random numbers only from the generator that it is given."""

    @abstractmethod
    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; the one that is passed in stays as it is."""


class IntensityTransform(Transform):
    """Changes intensities alone, and those of padding never: a network is to see there what it sees in use."""

    @final
    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; see `Transform`."""
        inputs = self.intensities(case, generator)
        if case.movable is not None:
            inputs = torch.where(case.movable, inputs, case.inputs)
        return dataclasses.replace(case, inputs=inputs)

    @abstractmethod
    def intensities(self, case: Case, generator: np.random.Generator) -> Tensor:
        """The new inputs, (1, C, D, H, W), whatever they are in padding; those of the case stay as they are."""


def change_grid(case: Case, change: Callable[[Tensor], Tensor]) -> Case:
    """Change everything that lies on the case's grid alike, where the last three axes are those of space."""
    return dataclasses.replace(
        case,
        inputs=change(case.inputs),
        targets=None if case.targets is None else change(case.targets),
        movable=None if case.movable is None else change(case.movable),
    )


def check_probability(probability: float) -> float:
    """Give the probability back.

    Raises:
        ValueError: it is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability is {probability}, it must lie in [0, 1]")
    return probability
