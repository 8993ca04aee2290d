import itertools
import math

import pytest

from rogseg.preprocessing import plan_geometry


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_any_geometry_is_sound(share: float) -> None:
    for shape in itertools.product((3, 17, 100.5, 131, 333, 512), repeat=3):
        box = tuple(length * share for length in shape)
        geometry = plan_geometry(shape, box, math.prod(box))
        for axis in range(3):
            patch, crop, window = geometry.patch_size[axis], geometry.crop_size[axis], geometry.window_size[axis]
            assert patch <= min(shape[axis], 192)
            assert patch <= crop <= patch + 20
            assert window >= patch
            assert window >= shape[axis] / 2
            halvings = [stride[axis] for stride in geometry.strides]
            assert halvings == sorted(halvings)  # halving begins late and never stops
            if halvings[0] == 2:
                assert window % 32 == 0
                assert patch % 32 == 0


def test_sizes_must_be_positive() -> None:
    with pytest.raises(ValueError, match="check that the labels hold foreground"):
        plan_geometry((10, 10, 10), (0, 0, 0), 0)
