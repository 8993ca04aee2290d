"""How sure a number over cases is: intervals of means, of proportions and of paired differences."""

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

__all__ = [
    "FEWEST_CASES",
    "Bounds",
    "Interval",
    "MeanOverCases",
    "PairedDifference",
    "difference_bounds",
    "mean_interval",
    "mean_over_cases",
    "paired_difference",
    "proportion_interval",
    "size_bounds",
]

Interval = tuple[float, float]
Bounds = tuple[float | None, float | None]

FEWEST_CASES = 5
FEWEST_TO_RESAMPLE = 10
CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class MeanOverCases:
    """A mean, its interval and the number of cases; None for what is not there."""

    mean: float | None
    interval: Interval | None
    num_cases: int


@dataclasses.dataclass(frozen=True)
class PairedDifference:
    """One system less another, on the cases that both have.

    Args:
        mean: of the differences.
        interval: of that mean; None where there is none.
        num_higher: cases on which the first has the higher value.
        num_lower: cases on which it has the lower one; on the others they are equal.
        num_cases: of the pairs.
    """

    mean: float
    interval: Interval | None
    num_higher: int
    num_lower: int
    num_cases: int


def mean_over_cases(values: Iterable[float | None], bounds: Bounds = (None, None)) -> MeanOverCases:
    """Mean and `mean_interval` of the cases that have a value."""
    present = [value for value in values if value is not None]
    mean = math.fsum(present) / len(present) if present else None
    return MeanOverCases(mean, mean_interval(present, bounds), len(present))


def mean_interval(
    values: Sequence[float], bounds: Bounds = (None, None), *, num_resamples: int = 10_000, seed: int = 0
) -> Interval | None:
    """95% interval of the mean over cases: Student's t below ten cases, the BCa bootstrap from ten on.

    The same values give the same interval, in whatever order they come.

    Args:
        values: one per case.
        bounds: what the mean cannot leave, such as 0 and 1 of Dice; the t interval is clipped to them.
        num_resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        None below five cases, and for a sample without spread: neither says how far off the mean may be.

    Source: Efron 1987 for BCa, with the acceleration from the jackknife.
    """
    # Sorted: the bootstrap draws places, and cases that were done in another order are the same sample.
    present = np.sort(np.array(values, dtype=np.float64))
    # Differences that are equal may differ in their last digit.
    if present.size < FEWEST_CASES or np.ptp(present) <= 1e-12 * np.abs(present).max():
        return None
    if present.size < FEWEST_TO_RESAMPLE:
        return _t_interval(present, bounds)
    return _bca_interval(present, num_resamples, seed)


def _t_interval(values: NDArray[np.float64], bounds: Bounds) -> Interval:
    lowest, highest = -math.inf if bounds[0] is None else bounds[0], math.inf if bounds[1] is None else bounds[1]
    half = student_t.ppf((1 + CONFIDENCE) / 2, values.size - 1) * values.std(ddof=1) / math.sqrt(values.size)
    return max(lowest, float(values.mean() - half)), min(highest, float(values.mean() + half))


def _bca_interval(values: NDArray[np.float64], num_resamples: int, seed: int) -> Interval:
    normal, mean = NormalDist(), values.mean()
    means = np.sort(_resamples(values.size, num_resamples, seed) @ values / values.size)
    equal = np.abs(means - mean) <= 1e-12 * np.abs(values).max()
    # A resample may equal the mean: half of those lie below it. A sample far from symmetric keeps a finite bias.
    below = (np.count_nonzero((means < mean) & ~equal) + np.count_nonzero(equal) / 2) / num_resamples
    bias = normal.inv_cdf(min(max(below, 0.5 / num_resamples), 1 - 0.5 / num_resamples))
    # Leaving one case out moves the mean by its distance to the mean over n - 1.
    influence = values - mean
    acceleration = float((influence**3).sum() / (6 * (influence**2).sum() ** 1.5))
    levels = []
    for tail in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2):
        shifted = bias + normal.inv_cdf(tail)
        levels.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    lower, upper = np.quantile(means, levels)
    return float(lower), float(upper)


@functools.lru_cache(maxsize=8)
def _resamples(count: int, num_resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each resample has each case, (resamples, cases): tables ask for the same few again and again."""
    drawn = np.random.default_rng(seed).integers(0, count, (num_resamples, count))
    places = drawn + count * np.arange(num_resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=num_resamples * count).reshape(num_resamples, count)
    return counts.astype(np.float64)


def proportion_interval(num_successes: int, num_cases: int) -> Interval | None:
    """95% interval of a proportion; it is not empty where all or none succeed.

    Returns:
        None without a case.

    Raises:
        ValueError: there are more successes than cases, or fewer than none.

    Source: Wilson 1927, without correction for continuity.
    """
    if not 0 <= num_successes <= num_cases:
        raise ValueError(f"{num_successes} successes of {num_cases} cases are no proportion")
    if num_cases == 0:
        return None
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = num_successes / num_cases, z**2 / num_cases
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / num_cases + weight / (4 * num_cases))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_bounds(bounds: Bounds) -> Bounds:
    """What a difference of two values cannot leave: from -1 to 1 of Dice, nothing where the values have no end."""
    lowest, highest = bounds
    return (None, None) if lowest is None or highest is None else (lowest - highest, highest - lowest)


def size_bounds(bounds: Bounds) -> Bounds:
    """What the size of a value, how far off zero it is, cannot leave."""
    lowest, highest = bounds
    return 0.0, None if lowest is None or highest is None else max(abs(lowest), abs(highest))


def paired_difference(
    first: Mapping[str, float], second: Mapping[str, float], bounds: Bounds = (None, None)
) -> PairedDifference | None:
    """Compare two systems on the cases that both have; values are by case, and cannot leave the bounds.

    Intervals of two means that overlap say little about their difference: the cases are the same, and what is hard
    for one system is hard for the other.

    Returns:
        None without a common case.
    """
    cases = [case_id for case_id in first if case_id in second]
    differences = [first[case_id] - second[case_id] for case_id in cases]
    if not differences:
        return None
    return PairedDifference(
        mean=math.fsum(differences) / len(differences),
        interval=mean_interval(differences, difference_bounds(bounds)),
        num_higher=sum(difference > 0 for difference in differences),
        num_lower=sum(difference < 0 for difference in differences),
        num_cases=len(differences),
    )
