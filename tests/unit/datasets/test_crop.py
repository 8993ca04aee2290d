from pathlib import Path

import numpy as np
import pytest

from rogseg.datasets.crop import patch_start, random_start, read_crop
from tests.tiny_task import write_tiny_task


@pytest.mark.parametrize(
    ("centre", "expected"), [(0, 0), (8, 0), (9, 1), (15, 7), (25, 14)], ids=["edge", "low", "moved", "inner", "end"]
)
def test_a_patch_lies_inside_a_larger_volume(centre: int, expected: int) -> None:
    assert patch_start((centre, 3, 3), (16, 4, 4), (30, 4, 4))[0] == expected


def test_a_smaller_volume_is_centred_in_the_patch() -> None:
    assert patch_start((3, 9, 9), (16, 16, 16), (11, 16, 20)) == (-2, 0, 1)


def test_random_patches_reach_both_ends() -> None:
    generator = np.random.default_rng(0)
    starts = {random_start(generator, (4, 4, 8), (6, 4, 5)) for _ in range(100)}
    assert starts == {(0, 0, -1), (1, 0, -1), (2, 0, -1)}


def test_outside_the_volume_is_zero_and_inside_is_the_volume(tmp_path: Path) -> None:
    case = write_tiny_task(tmp_path).case("case_00")
    inputs, targets, inside = read_crop(case, (-3, 5, -1), (30, 6, 20))
    image, label = case.read_image(), case.read_label()
    assert label is not None
    np.testing.assert_array_equal(inputs[:, 3:25, :, 1:15].numpy(), image[:, :, 5:11, :])
    np.testing.assert_array_equal(targets[3:25, :, 1:15].numpy(), label[:, 5:11, :])
    assert inputs.abs().sum() == pytest.approx(np.abs(image[:, :, 5:11, :]).sum(), rel=1e-5)
    assert targets[:3].sum() == targets[25:].sum() == 0
    assert inside[:, 3:25, :, 1:15].all()
    assert inside.sum() == 22 * 6 * 14
