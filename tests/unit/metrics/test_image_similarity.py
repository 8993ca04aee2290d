import math

import numpy as np
import pytest

from rogseg.metrics import image_range, peak_signal_to_noise, structural_similarity

GENERATOR = np.random.default_rng(0)
IMAGE = (1000 + 200 * GENERATOR.normal(size=(2, 18, 16, 14))).astype(np.float32)
NOISY = (IMAGE + 60 * GENERATOR.normal(size=IMAGE.shape)).astype(np.float32)
RANGE = np.array([900.0, 1100.0])


def test_both_are_those_of_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    theirs = [
        metrics.structural_similarity(
            a.astype(np.float64),
            b.astype(np.float64),
            data_range=width,
            gaussian_weights=True,
            use_sample_covariance=False,
        )
        for a, b, width in zip(IMAGE, NOISY, RANGE, strict=True)
    ]
    assert structural_similarity(IMAGE, NOISY, RANGE) == pytest.approx(np.mean(theirs), abs=1e-4)
    for index in range(2):
        part = slice(index, index + 1)
        theirs = metrics.peak_signal_noise_ratio(IMAGE[index], NOISY[index], data_range=RANGE[index])
        assert peak_signal_to_noise(IMAGE[part], NOISY[part], RANGE[part]) == pytest.approx(theirs, abs=1e-4)


def test_equal_volumes_and_a_known_error() -> None:
    assert structural_similarity(IMAGE, IMAGE, RANGE) == pytest.approx(1)
    assert peak_signal_to_noise(IMAGE, IMAGE, RANGE) == math.inf
    # A tenth of the range everywhere is 20 dB.
    assert peak_signal_to_noise(
        IMAGE, IMAGE + 0.1 * RANGE[:, None, None, None].astype(np.float32), RANGE
    ) == pytest.approx(20, abs=1e-3)


def test_volumes_thinner_than_the_window_are_measured_whole() -> None:
    thin, changed = IMAGE[:, :, :, :4], NOISY[:, :, :, :4]
    assert 0 < structural_similarity(thin, changed, RANGE) < 1


def test_the_range_leaves_out_what_is_extreme() -> None:
    image = np.linspace(0, 1, 1000, dtype=np.float32).reshape(1, 10, 10, 10)
    assert image_range(image)[0] == pytest.approx(0.99)
    image[0, 0, 0, 0] = 1e6
    assert image_range(image)[0] == pytest.approx(0.99, abs=0.01)
    binary = np.zeros((1, 10, 10, 10), dtype=np.float32)
    binary[0, 5, 5, 5] = 3
    assert image_range(binary)[0] == 3


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        structural_similarity(IMAGE, IMAGE[:, 1:], RANGE)
    with pytest.raises(ValueError, match="one shape"):
        peak_signal_to_noise(IMAGE, IMAGE[:, 1:], RANGE)
