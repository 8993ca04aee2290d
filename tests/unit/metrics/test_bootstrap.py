"""The interval against what is known of the mean's spread."""

import math

import numpy as np
import pytest

from rogseg.metrics import bootstrap_interval


def test_a_large_sample_gives_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.1, 400)
    lower, upper = bootstrap_interval(values.tolist())
    half = 1.96 * values.std() / math.sqrt(400)
    assert lower == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert upper == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert bootstrap_interval(values.tolist()) == (lower, upper)


def test_nan_is_left_out() -> None:
    assert bootstrap_interval([0.2, math.nan, 0.6, 0.9]) == bootstrap_interval([0.2, 0.6, 0.9])
    assert bootstrap_interval([0.5]) == (0.5, 0.5)
    assert all(math.isnan(bound) for bound in bootstrap_interval([math.nan]))


def test_bad_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_interval([1.0], confidence=95)
