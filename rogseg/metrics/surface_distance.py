"""Surface measures of one structure: NSD and HD95, computed by MONAI.

Import this module by its own name: MONAI takes seconds to import, which whoever only needs Dice should not pay.
"""

import contextlib
import math
import warnings
from collections.abc import Iterator

import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from torch import Tensor

__all__ = ["hausdorff_distance_95", "normalized_surface_dice"]


def normalized_surface_dice(
    prediction: Tensor, target: Tensor, spacing: tuple[float, float, float], tolerance: float
) -> float:
    """Share of the two surfaces that lies within a tolerance of the other one.

    Absent from both: NaN. Absent from one: 0.

    Args:
        prediction: (D, H, W) bool.
        target: (D, H, W) bool.
        spacing: of the voxels [mm].
        tolerance: the distance that counts as no error [mm].

    Raises:
        ValueError: the shapes differ or are not three-dimensional.

    Source: Nikolov et al. 2018, with surface elements weighted by their area, as the Decathlon's own evaluation does.
    """
    pair = _crop_to_both(prediction, target)
    if pair is None:
        return math.nan
    if not all(mask.any() for mask in pair):
        return 0.0
    with _without_monai_deprecations():
        score = compute_surface_dice(
            *pair, class_thresholds=[tolerance], include_background=True, spacing=spacing, use_subvoxels=True
        )
    return float(score)


def hausdorff_distance_95(prediction: Tensor, target: Tensor, spacing: tuple[float, float, float]) -> float:
    """95th percentile of the distances from either surface to the other, the larger direction [mm].

    Absent from both: NaN. Absent from one: the diagonal of the volume, the farthest that two voxels of it can lie
    apart; an undefined distance that is left out of the mean would reward a network for finding nothing.

    Args:
        prediction: (D, H, W) bool.
        target: (D, H, W) bool.
        spacing: of the voxels [mm].

    Raises:
        ValueError: the shapes differ or are not three-dimensional.
    """
    pair = _crop_to_both(prediction, target)
    if pair is None:
        return math.nan
    if not all(mask.any() for mask in pair):
        return math.hypot(*(length * step for length, step in zip(prediction.shape, spacing, strict=True)))
    with _without_monai_deprecations():
        distance = compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=spacing)
    return float(distance)


def _crop_to_both(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both masks as (1, 1, d, h, w), cut to the box that holds them; None where both are empty.

    MONAI would cut as well, but only after float copies of the whole volume.
    """
    if prediction.shape != target.shape or prediction.ndim != 3:
        raise ValueError(
            f"prediction and target must be (D, H, W) of one shape, got {tuple(prediction.shape)} and "
            f"{tuple(target.shape)}"
        )
    either = prediction | target
    if not either.any():
        return None
    cuts = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        occupied = torch.nonzero(either.amax(dim=others)).flatten()
        cuts.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    x, y, z = cuts
    return prediction[None, None, x, y, z], target[None, None, x, y, z]


@contextlib.contextmanager
def _without_monai_deprecations() -> Iterator[None]:
    """Silence the deprecation warning that MONAI 1.5 and later raises about its own call."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="monai")
        yield
