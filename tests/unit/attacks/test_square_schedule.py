import math

import pytest

from rogseg.attacks.square.square import changed_fraction, cuboid_sides


@pytest.mark.parametrize("shape", [(64, 64, 4), (4, 64, 64), (40, 56, 40), (1, 1, 1), (2, 3, 200)])
@pytest.mark.parametrize("fraction", [0.8, 0.2, 0.05, 0.0125, 0.0015625])
def test_cuboid_fits_and_keeps_the_volume_of_the_schedule(shape: tuple[int, int, int], fraction: float) -> None:
    sides = cuboid_sides(shape, fraction)
    assert all(1 <= side <= length for side, length in zip(sides, shape, strict=True))
    wanted = fraction * math.prod(shape)
    # The last side is rounded to whole voxels, so the volume is off by at most half a layer.
    layer = math.prod(sides) / max(sides)
    assert abs(math.prod(sides) - max(wanted, 1)) <= max(0.5 * math.prod(sides) / min(sides), layer)


def test_flat_patch_gives_its_whole_depth_and_the_rest_makes_up_for_it() -> None:
    assert cuboid_sides((64, 64, 4), 0.2) == (29, 28, 4)


def test_cube_where_it_fits() -> None:
    assert cuboid_sides((40, 40, 40), 0.125) == (20, 20, 20)


def test_schedule_without_rescaling_hardly_moves_in_a_small_budget() -> None:
    assert changed_fraction(19, 20, 0.8, rescale=False) == 0.4
    assert changed_fraction(19, 20, 0.8) == 0.8 / 2**9
