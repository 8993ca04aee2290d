import itertools

import numpy as np
import pytest
from scipy import ndimage

from rogseg.preprocessing.resampling import (
    coarse_axis,
    resample_image,
    resample_labels,
    resample_probabilities,
    resampled_shape,
)
from tests.unit.preprocessing.raw_files import cube_label, noise

GRIDS = [((40, 50, 30), (53, 41, 47)), ((20, 20, 8), (7, 45, 9)), ((5, 6, 3), (13, 4, 9)), ((4, 4, 200), (4, 5, 150))]


def _zoom(array: np.ndarray, shape: tuple[int, ...], order: int) -> np.ndarray:
    factors = [new / old for old, new in zip(array.shape, shape, strict=True)]
    result: np.ndarray = ndimage.zoom(array.astype(np.float64), factors, order=order, mode="nearest", grid_mode=True)
    return result


@pytest.mark.parametrize(("old", "new"), GRIDS)
def test_images_equal_the_cubic_zoom_of_scipy(old: tuple[int, int, int], new: tuple[int, int, int]) -> None:
    image = noise(old)
    resampled = resample_image(image[None], new)[0]
    assert resampled.shape == new
    assert np.abs(resampled - _zoom(image, new, 3)).max() < 2e-4  # of intensities around 100


@pytest.mark.parametrize(("old", "new"), GRIDS)
def test_probabilities_equal_the_linear_zoom_of_scipy(old: tuple[int, int, int], new: tuple[int, int, int]) -> None:
    probabilities = np.random.default_rng(0).random((3, *old))
    expected = np.stack([_zoom(channel, new, 1) for channel in probabilities])
    highest = resample_probabilities(probabilities, new)
    chosen = np.take_along_axis(expected, highest[None].astype(int), axis=0)[0]
    assert np.abs(chosen - expected.max(axis=0)).max() < 1e-6


def test_the_nearest_axis_repeats_slices() -> None:
    image = noise((1, 10, 12, 4))
    resampled = resample_image(image, (15, 12, 12), nearest_axis=2)
    for place in range(12):
        assert np.array_equal(resampled[..., place], resampled[..., place // 3 * 3])
    assert np.abs(resampled[0, :, :, 3] - _zoom(image[0, :, :, 1], (15, 12), 3)).max() < 2e-4


def test_equal_grids_are_the_same_array_and_a_constant_stays() -> None:
    image = noise((2, 8, 9, 7))
    assert resample_image(image, (8, 9, 7)) is image
    constant = np.full((1, 30, 20, 150), 1234.5, np.float32)
    assert np.abs(resample_image(constant, (41, 13, 201)) - 1234.5).max() < 1e-3


def test_labels_keep_their_classes_and_their_places() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[:10], labels[10:] = 1, 7  # between 1 and 7 there is nothing else
    resampled = resample_labels(labels, 8, (33, 27, 14))
    assert set(np.unique(resampled)) == {1, 7}
    assert (resampled[:16] == 1).all()
    assert (resampled[17:] == 7).all()


def test_labels_survive_a_finer_grid_and_back() -> None:
    labels = cube_label((16, 15, 70))
    finer = resample_labels(labels, 3, (32, 45, 210))
    assert np.array_equal(resample_labels(finer, 3, (16, 15, 70)), labels)


@pytest.mark.parametrize(
    ("spacing", "new_spacing", "axis"),
    [
        ((1, 1, 5), (1, 1, 1), 2),
        ((1, 1, 1), (4, 1, 1), 0),
        ((1, 1, 3), (1, 1, 1), None),
        ((1, 5, 5), (1, 1, 1), None),
    ],
)
def test_which_axis_is_coarse(spacing: tuple[float, ...], new_spacing: tuple[float, ...], axis: int | None) -> None:
    assert coarse_axis(spacing, new_spacing) == axis


def test_shapes_cover_the_same_extent() -> None:
    assert resampled_shape((512, 512, 100), (0.8, 0.8, 5.0), (0.768, 0.768, 2.5)) == (533, 533, 200)
    assert resampled_shape((2, 2, 2), (0.1, 0.1, 0.1), (1.0, 1.0, 1.0)) == (1, 1, 1)


def test_every_small_pair_of_lengths_is_exact_for_linear_ramps() -> None:
    # Inside, both splines reproduce a straight line, whatever the lengths and block borders.
    for old, new in itertools.product((30, 64, 65, 130), (29, 63, 64, 128, 131, 200)):
        ramp = np.broadcast_to(np.arange(old, dtype=np.float32)[:, None, None], (old, 2, 3))
        for axis in range(3):
            image = np.moveaxis(ramp, 0, axis)[None]
            shape = tuple(new if place == axis else length for place, length in enumerate(image.shape[1:]))
            line = np.moveaxis(resample_image(image, shape)[0], axis, 0)[:, 0, 0]  # type: ignore[arg-type]
            expected = (np.arange(new) + 0.5) * old / new - 0.5
            inside = (expected > 10) & (expected < old - 11)
            assert np.abs(line - expected)[inside].max() < 1e-4 * old
