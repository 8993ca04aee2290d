"""Transform: one step between the crop that is read and the patch that is trained on."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from torch import Tensor

from rogseg.cases import Case

__all__ = ["Transform"]


class Transform(ABC):
    """Maps a case to a case; draws random numbers only from the generator that it is given."""

    @abstractmethod
    def __call__(self, case: Case, generator: np.random.Generator) -> Case:
        """Transform one case; the one that is passed in stays as it is."""


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
