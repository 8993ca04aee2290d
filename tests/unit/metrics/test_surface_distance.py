"""Surface measures on boxes, whose distances are known."""

import math

import pytest
import torch
from torch import Tensor

from rogseg.metrics.surface_distance import hausdorff_distance_95, normalized_surface_dice

SPACING = (1.0, 2.0, 0.5)


def box(first: int, last: int) -> Tensor:
    mask = torch.zeros(24, 16, 16, dtype=torch.bool)
    mask[first:last, 3:12, 4:13] = True
    return mask


def test_equal_masks() -> None:
    assert normalized_surface_dice(box(4, 12), box(4, 12), SPACING, 0.1) == pytest.approx(1)
    assert hausdorff_distance_95(box(4, 12), box(4, 12), SPACING) == 0


def test_one_face_is_moved() -> None:
    # One of the box's faces lies 5 mm away and is over 5% of the surface: it is the 95th percentile.
    assert hausdorff_distance_95(box(4, 17), box(4, 12), SPACING) == pytest.approx(5)
    assert normalized_surface_dice(box(4, 17), box(4, 12), SPACING, 5.1) == pytest.approx(1)
    # Sides measured between centres of voxels [mm]: 7 or 12 along the first axis, 16 and 4 in the faces.
    beyond = 64 + 5 * 2 * (16 + 4)
    surface = 2 * (2 * 64) + (7 + 12) * 2 * (16 + 4)
    near_all = normalized_surface_dice(box(4, 17), box(4, 12), SPACING, 0.1)
    assert near_all == pytest.approx(1 - (beyond + 64) / surface, abs=0.08)


def test_masks_at_the_border_of_the_volume() -> None:
    full = torch.ones(6, 6, 6, dtype=torch.bool)
    assert hausdorff_distance_95(full, full, SPACING) == 0
    assert normalized_surface_dice(full, full, SPACING, 1.0) == pytest.approx(1)


def test_absent_structures() -> None:
    empty = torch.zeros(24, 16, 16, dtype=torch.bool)
    assert math.isnan(normalized_surface_dice(empty, empty, SPACING, 1.0))
    assert math.isnan(hausdorff_distance_95(empty, empty, SPACING))
    for pair in ((empty, box(4, 12)), (box(4, 12), empty)):
        assert normalized_surface_dice(*pair, SPACING, 1.0) == 0
        assert hausdorff_distance_95(*pair, SPACING) == pytest.approx(math.sqrt(24**2 + 32**2 + 8**2))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="one shape"):
        hausdorff_distance_95(box(4, 12), box(4, 12)[1:], SPACING)
