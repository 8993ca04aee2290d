"""Measures of surfaces: two masks of one structure, cut to the box that holds both, and what lies between them."""

from abc import abstractmethod
from typing import final
from warnings import catch_warnings, filterwarnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.metrics.base import Mask, Measure, Spacing

__all__ = ["MaskPair", "SurfaceMeasure", "cut_to_both"]

MaskPair = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def cut_to_both(prediction: NDArray[np.bool_], target: NDArray[np.bool_]) -> MaskPair | None:
    """Both masks cut to the box that holds them; None where both are empty.

    MONAI would cut as well, but only after float copies of the whole volume.
    """
    either = prediction | target
    if not either.any():
        return None
    cuts = []
    for axis in range(3):
        occupied = np.flatnonzero(either.any(axis=tuple(other for other in range(3) if other != axis)))
        cuts.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    x, y, z = cuts
    return prediction[x, y, z], target[x, y, z]


class SurfaceMeasure(Measure):
    """A measure of two surfaces that MONAI computes; nothing where both masks lack the class."""

    @final
    def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
        """Measure one class; see `Measure`."""
        pair = cut_to_both(prediction, target)
        if pair is None:
            return None
        if not all(mask.any() for mask in pair):
            return self.where_one_is_empty(prediction.shape, spacing)
        ours, true = (torch.from_numpy(mask)[None, None] for mask in pair)
        with catch_warnings():  # MONAI 1.5 and later warns of its own call
            filterwarnings("ignore", category=FutureWarning, module="monai")
            return float(self.of_both(ours, true, spacing))

    @abstractmethod
    def where_one_is_empty(self, shape: tuple[int, ...], spacing: Spacing) -> float:
        """The value where one of the two lacks the class, in a volume of this shape [voxels]."""

    @abstractmethod
    def of_both(self, prediction: Tensor, target: Tensor, spacing: Spacing) -> Tensor:
        """The value of two masks (1, 1, D, H, W). MONAI takes seconds to import, so it is imported in here."""
