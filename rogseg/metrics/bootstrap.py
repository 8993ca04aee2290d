"""How sure a mean over cases is."""

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["bootstrap_interval"]


def bootstrap_interval(
    values: Sequence[float], *, confidence: float = 0.95, num_resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean, cases drawn with replacement.

    NaN stands for a case without the measure and is left out; without any value the interval is NaN, with one value it
    is that value. The same values give the same interval.

    Raises:
        ValueError: the confidence is not between 0 and 1.

    Source: Efron 1979; the percentile interval of Efron and Tibshirani 1993, chapter 13.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    present = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    if present.size == 0:
        return math.nan, math.nan
    generator = np.random.default_rng(seed)
    means = present[generator.integers(0, present.size, (num_resamples, present.size))].mean(axis=1)
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(means, [tail, 1 - tail])
    return float(lower), float(upper)
