"""Two masks of one structure, as surface measures want them: cut to the box that holds both."""

from collections.abc import Iterator
from contextlib import contextmanager
from warnings import catch_warnings, filterwarnings

import numpy as np
from numpy.typing import NDArray

__all__ = ["MaskPair", "cut_to_both", "without_monai_deprecations"]

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


@contextmanager
def without_monai_deprecations() -> Iterator[None]:
    """Silence the deprecation warning that MONAI 1.5 and later raises about its own call."""
    with catch_warnings():
        filterwarnings("ignore", category=FutureWarning, module="monai")
        yield
