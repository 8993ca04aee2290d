"""Surface measures on boxes, whose distances are known, and against a plain count of distances."""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from rogseg.metrics import HD95, NSD
from rogseg.metrics.base import Mask, Spacing

SPACING: Spacing = (1.0, 2.0, 0.5)


def box(first: int, last: int) -> Mask:
    mask = np.zeros((24, 16, 16), dtype=bool)
    mask[first:last, 3:12, 4:13] = True
    return mask


def test_one_face_is_moved() -> None:
    # One of the box's faces lies 5 mm away and is over 5% of the surface: it is the 95th percentile.
    assert HD95()(box(4, 17), box(4, 12), SPACING) == pytest.approx(5)
    assert NSD(5.1)(box(4, 17), box(4, 12), SPACING) == pytest.approx(1)
    # Sides measured between centres of voxels [mm]: 7 or 12 along the first axis, 16 and 4 in the faces.
    beyond = 64 + 5 * 2 * (16 + 4)
    surface = 2 * (2 * 64) + (7 + 12) * 2 * (16 + 4)
    assert NSD(0.1)(box(4, 17), box(4, 12), SPACING) == pytest.approx(1 - (beyond + 64) / surface, abs=0.08)


def test_tolerances_are_millimetres_along_every_axis() -> None:
    target = box(4, 12)
    for axis, step in enumerate(SPACING):
        moved = np.roll(target, 1, axis)
        assert NSD(1.01 * step)(moved, target, SPACING) == pytest.approx(1)
        assert (NSD(0.99 * step)(moved, target, SPACING) or 0) < 0.9


def test_masks_at_the_border_of_the_volume() -> None:
    full = np.ones((6, 6, 6), dtype=bool)
    assert HD95()(full, full, SPACING) == 0
    assert NSD(1.0)(full, full, SPACING) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_hd95_is_the_percentile_of_the_distances_between_surfaces(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = (np.pad(generator.random((8, 7, 6)) < 0.4, 2) for _ in range(2))
    surfaces = [np.argwhere(mask & ~binary_erosion(mask)) * SPACING for mask in (first, second)]
    there, back = (np.percentile(cKDTree(surfaces[1 - index]).query(surfaces[index])[0], 95) for index in (0, 1))
    assert HD95()(first, second, SPACING) == pytest.approx(max(there, back), rel=1e-5)
