"""Intervals against closed forms, against SciPy, and by how often they hold what they should."""

import math

import numpy as np
import pytest
from scipy import stats

from rogseg.evaluation.statistics import (
    Bounds,
    difference_bounds,
    mean_interval,
    mean_over_cases,
    paired_difference,
    proportion_interval,
    size_bounds,
)


def test_few_cases_and_cases_without_spread_have_no_interval() -> None:
    assert mean_interval([0.1, 0.5, 0.7, 0.9]) is None
    assert mean_interval([0.5] * 30) is None
    assert mean_interval([0.8 - number / 100 - (0.4 - number / 100) for number in range(30)]) is None
    assert mean_interval([]) is None
    assert mean_interval([0.1, 0.5, 0.7, 0.9, 0.95]) is not None


def test_five_to_nine_cases_have_the_t_interval_clipped_to_what_is_possible() -> None:
    values = [0.61, 0.7, 0.72, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99]
    lower, upper = mean_interval(values) or (0, 0)
    expected = stats.t.interval(0.95, 8, np.mean(values), stats.sem(values))
    assert (lower, upper) == pytest.approx(expected)
    near_one = [0.2, 1.0, 1.0, 1.0, 1.0]
    lower, upper = mean_interval(near_one, (0.0, 1.0)) or (0, 0)
    assert upper == 1.0
    assert lower == pytest.approx(stats.t.interval(0.95, 4, np.mean(near_one), stats.sem(near_one))[0])
    below, _ = mean_interval([0.0, 0.0, 0.0, 0.0, 0.8], (0.0, None)) or (1, 1)
    assert below == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_ten_cases_and_more_have_the_bca_interval(seed: int) -> None:
    """SciPy has its own, which draws the same resamples from the same seed."""
    values = np.sort(1 - np.random.default_rng(seed).exponential(0.1, 10))
    theirs = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="BCa", rng=7).confidence_interval
    assert mean_interval(values.tolist(), seed=7) == pytest.approx((theirs.low, theirs.high), abs=1e-4)
    # The long tail is to the left, which a percentile interval does not see.
    plain = np.quantile(values[np.random.default_rng(7).integers(0, 10, (10_000, 10))].mean(1), [0.025, 0.975])
    assert theirs.low < plain[0] - 0.03 * (plain[1] - plain[0])


@pytest.mark.parametrize("num_cases", [6, 12, 52])
def test_the_order_of_the_cases_does_not_matter(num_cases: int) -> None:
    generator = np.random.default_rng(num_cases)
    first, second = generator.uniform(0.2, 1, (2, num_cases))
    order = generator.permutation(num_cases)
    assert mean_over_cases(first) == mean_over_cases(first[order])
    cases = [f"case {number}" for number in range(num_cases)]
    one, other = (dict(zip(cases, values.tolist(), strict=True)) for values in (first, second))
    shuffled = {cases[place]: one[cases[place]] for place in order}
    assert paired_difference(one, other) == paired_difference(shuffled, other)


def test_the_same_values_give_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.1, 400).tolist()
    assert mean_interval(values) == mean_interval(values)
    lower, upper = mean_interval(values) or (0, 0)
    half = 1.96 * np.std(values) / math.sqrt(400)
    assert (lower, upper) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=0.1 * half)
    assert mean_interval(values, seed=1) != mean_interval(values)


@pytest.mark.parametrize(("num_cases", "least"), [(6, 0.90), (12, 0.87), (30, 0.90)])
def test_the_interval_of_a_skewed_mean_holds_it_about_as_often_as_it_says(num_cases: int, least: float) -> None:
    """Dice over cases is skewed to the left; no interval from a dozen of them reaches 95% exactly."""
    generator, true = np.random.default_rng(0), 6 / 7
    held = 0
    for _ in range(300):
        lower, upper = mean_interval(generator.beta(6, 1, num_cases).tolist(), (0.0, 1.0), num_resamples=400) or (0, 0)
        held += lower <= true <= upper
    assert least <= held / 300 <= 0.99


def test_a_proportion_is_not_certain_after_a_dozen_cases() -> None:
    assert proportion_interval(12, 12) == pytest.approx((0.7575, 1.0), abs=1e-3)
    assert proportion_interval(0, 12) == pytest.approx((0.0, 0.2425), abs=1e-3)
    expected = stats.binomtest(3, 20).proportion_ci(method="wilson")
    assert proportion_interval(3, 20) == pytest.approx((expected.low, expected.high))
    assert proportion_interval(0, 0) is None
    with pytest.raises(ValueError, match="13 successes of 12"):
        proportion_interval(13, 12)


def test_proportions_are_held_as_often_as_they_should_be() -> None:
    for share in (0.5, 0.9, 0.97):
        counts = np.arange(13)
        held = [low <= share <= high for low, high in (proportion_interval(int(k), 12) or (0, 0) for k in counts)]
        assert stats.binom.pmf(counts, 12, share)[held].sum() >= 0.92


def test_paired_differences_see_what_two_intervals_hide() -> None:
    generator = np.random.default_rng(0)
    hard = {f"case_{number}": value for number, value in enumerate(generator.uniform(0.2, 0.9, 20))}
    better = {case_id: value + 0.01 + 0.005 * generator.normal() for case_id, value in hard.items()}
    found = paired_difference({**better, "of one alone": 0.0}, hard)
    assert found is not None
    assert found.num_cases == 20
    assert found.mean == pytest.approx(np.mean(list(better.values())) - np.mean(list(hard.values())))
    assert found.interval is not None
    assert 0 < found.interval[0] < found.mean < found.interval[1] < 0.02
    assert (found.num_higher, found.num_lower) == (sum(better[c] > hard[c] for c in hard), 20 - found.num_higher)
    ones, others = (mean_interval(list(values.values())) for values in (better, hard))
    assert ones is not None
    assert others is not None
    assert ones[0] < others[1]
    assert paired_difference({"a": 1.0}, {"b": 1.0}) is None
    equal = paired_difference({"a": 1.0}, {"a": 1.0})
    assert equal is not None
    assert (equal.num_higher, equal.num_lower, equal.interval) == (0, 0, None)


def test_a_mean_difference_cannot_leave_what_two_values_allow() -> None:
    """Of Dice -1 to 1, where the t interval of five differences that hardly agree goes on to 1.4."""
    first = dict(zip("abcde", (0.95, 0.0, 0.97, 0.0, 0.9), strict=True))
    second = dict(zip("abcde", (0.0, 0.96, 0.0, 0.98, 0.0), strict=True))
    free, held = paired_difference(first, second), paired_difference(first, second, (0.0, 1.0))
    assert free is not None
    assert held is not None
    assert free.interval is not None
    assert free.interval[0] < -1
    assert free.interval[1] > 1.4
    assert (held.mean, held.interval) == (free.mean, (-1.0, 1.0))


@pytest.mark.parametrize(
    ("bounds", "of_differences", "of_sizes"),
    [
        ((0.0, 1.0), (-1.0, 1.0), (0.0, 1.0)),
        ((-3.0, 1.0), (-4.0, 4.0), (0.0, 3.0)),
        ((0.0, None), (None, None), (0.0, None)),
        ((None, None), (None, None), (0.0, None)),
    ],
)
def test_bounds_of_differences_and_sizes(bounds: Bounds, of_differences: Bounds, of_sizes: Bounds) -> None:
    assert difference_bounds(bounds) == of_differences
    assert size_bounds(bounds) == of_sizes


def test_a_mean_leaves_out_cases_without_value() -> None:
    found = mean_over_cases([0.5, None, 1.0])
    assert (found.mean, found.interval, found.num_cases) == (0.75, None, 2)
    assert mean_over_cases([None]).mean is None
