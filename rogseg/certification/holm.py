"""Holm's procedure over all questions of a volume, on the counts of votes instead of one p-value per voxel."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

__all__ = ["p_values", "samples_needed", "smallest_rejected_count"]


def p_values(num_samples: int, tau: float) -> NDArray[np.float64]:
    """By count 0 to ``num_samples``: the chance of so many votes or more where a vote has at most the chance tau."""
    table: NDArray[np.float64] = binom.sf(np.arange(num_samples + 1) - 1, num_samples, tau)
    return table


def smallest_rejected_count(histogram: NDArray[np.int64], tau: float, alpha: float) -> int | None:
    """The fewest votes with which a question is answered; None where no question is.

    Every question is a test that a set of classes has at most the share tau of all votes. Holm's procedure takes the
    p-values in ascending order and rejects the i-th of m while it is at most alpha / (m - i + 1); with probability
    1 - alpha no true hypothesis is rejected, however the voxels depend on each other. As p falls with the count and
    equal counts are rejected together, the procedure comes down to a threshold.

    Args:
        histogram: (n + 1,) by count, how many questions got so many of n votes.
        tau: share of the votes that is to be exceeded.
        alpha: chance that any answer is wrong.

    Source: Holm 1979; Fischer et al. 2021 use it over the pixels of an image.
    """
    values = p_values(len(histogram) - 1, tau)
    left, threshold = int(histogram.sum()), None
    for count in range(len(histogram) - 1, -1, -1):
        if histogram[count] == 0:
            continue
        if values[count] > alpha / left:
            break
        threshold, left = count, left - int(histogram[count])
    return threshold


def samples_needed(tau: float, alpha: float, num_questions: int) -> int:
    """The fewest samples with which a unanimous vote answers a question among so many."""
    return max(1, math.ceil(math.log(alpha / max(1, num_questions)) / math.log(tau)))
