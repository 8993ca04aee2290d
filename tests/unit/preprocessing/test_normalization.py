import dataclasses

import numpy as np

from rogseg.preprocessing.normalization import case_box, normalize, window_notes
from rogseg.task_plan import ChannelIntensity

CT = ChannelIntensity("CT", False, -50.0, 200.0, 100.0, 25.0)
MR = ChannelIntensity("MRI", True, 0.1, 0.6, 0.2, 0.1)


def test_ct_is_clipped_in_hu_and_scored() -> None:
    image = np.array([-1000, -50, 0, 100, 200, 3000], np.float32).reshape(1, 1, 2, 3)
    box = case_box([CT], [-1000.0], [3000.0])
    normalize(image, box)
    assert image.ravel().tolist() == [-6, -6, -4, 0, 4, 4]
    assert (box.raw_lower, box.raw_upper) == ((-50.0,), (200.0,))
    assert (box.box_lower, box.box_upper) == ((-6.0,), (4.0,))


def test_mr_is_first_mapped_to_its_own_range() -> None:
    raw = np.linspace(20, 1_700_020, 12, dtype=np.float32).reshape(1, 3, 2, 2)
    image = raw.copy()
    box = case_box([MR], [20.0], [1_700_020.0])
    normalize(image, box)
    fractions = (raw.astype(np.float64) - 20) / 1_700_000
    assert np.allclose(image, (np.clip(fractions, 0.1, 0.6) - 0.2) / 0.1, atol=1e-5)
    assert np.allclose([box.raw_lower[0], box.raw_upper[0]], [170_020, 1_020_020])


def test_no_rounding_leaves_the_box() -> None:
    # Without the clip at the end, 4 windows of 10 end a bit above their upper end in float32.
    generator = np.random.default_rng(0)
    for _ in range(50):
        lower, upper = sorted(generator.uniform(-1000, 1000, 2))
        channel = ChannelIntensity(
            "CT", False, lower, upper, generator.uniform(lower, upper), generator.uniform(5, 300)
        )
        image = np.array([lower - 1, lower, upper, upper + 1], np.float32).reshape(1, 1, 2, 2)
        normalize(image, case_box([channel], [-2000.0], [2000.0]))
        assert image.min() >= np.float32(channel.box[0])
        assert image.max() <= np.float32(channel.box[1])


def test_what_a_window_cuts_off_is_counted() -> None:
    channel = ChannelIntensity("MRI", True, 0.25, 0.5, 0.3, 0.1)
    image = np.linspace(0, 1, 1000, dtype=np.float32).reshape(1, 10, 10, 10)
    (shares,) = normalize(image, case_box([channel], [0.0], [1.0]))
    assert abs(shares.above - 500 / 750) < 2e-3
    assert abs(shares.bunched - 0.5) < 5e-3
    assert "67% of the voxels" in window_notes([channel], [shares])[0]
    assert window_notes([dataclasses.replace(channel, rescale=False)], [shares]) == ()


def test_one_outlier_is_told_and_a_usual_case_is_not() -> None:
    channel = ChannelIntensity("MRI", True, 0.05, 0.9, 0.4, 0.2)
    usual = np.random.default_rng(0).uniform(0, 1, (1, 20, 20, 20)).astype(np.float32)
    outlier = usual.copy()
    outlier[0, 0, 0, 0] = 5000
    for image, told in ((usual, 0), (outlier, 1)):
        highest = float(image.max())
        assert len(window_notes([channel], normalize(image, case_box([channel], [0.0], [highest])))) == told


def test_each_channel_has_its_own_box_and_stays_in_it() -> None:
    image = np.random.default_rng(0).normal(100, 500, (2, 8, 8, 8)).astype(np.float32)
    minima, maxima = [float(channel.min()) for channel in image], [float(channel.max()) for channel in image]
    box = case_box([CT, MR], minima, maxima)
    normalize(image, box)
    for channel, lower, upper in zip(image, box.box_lower, box.box_upper, strict=True):
        assert abs(float(channel.min()) - lower) < 1e-6 * (upper - lower)
        assert abs(float(channel.max()) - upper) < 1e-6 * (upper - lower)
        assert channel.min() >= np.float32(lower)
        assert channel.max() <= np.float32(upper)
