import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from rogseg.certification import samples_needed, smallest_rejected_count
from rogseg.certification.certificate import p_values


def holm_over_p_values(values: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Holm by adjusted p-values, one per hypothesis: the textbook's form, not the one under test."""
    order = np.argsort(values, kind="stable")
    adjusted = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    rejected = np.empty(len(values), bool)
    rejected[order] = adjusted <= alpha
    return rejected


@pytest.mark.parametrize(("num_samples", "tau"), [(1, 0.6), (20, 0.75), (200, 0.9)])
def test_p_values_are_those_of_the_exact_binomial_test(num_samples: int, tau: float) -> None:
    exact = [
        binomtest(count, num_samples, tau, alternative="greater").pvalue
        for count in range(0, num_samples + 1, max(1, num_samples // 20))
    ]
    table = p_values(num_samples, tau)[:: max(1, num_samples // 20)]
    np.testing.assert_allclose(table, exact, rtol=1e-9)


def test_the_threshold_is_holms_procedure_over_all_questions() -> None:
    generator, seen = np.random.default_rng(0), set()
    for _ in range(200):
        num_samples, tau = int(generator.integers(5, 40)), float(generator.uniform(0.55, 0.9))
        alpha = float(generator.choice([0.5, 0.05, 0.001]))
        counts = generator.binomial(num_samples, generator.uniform(0.5, 1, 30))
        threshold = smallest_rejected_count(np.bincount(counts, minlength=num_samples + 1), tau, alpha)
        rejected = counts >= threshold if threshold is not None else np.zeros(30, bool)
        np.testing.assert_array_equal(rejected, holm_over_p_values(p_values(num_samples, tau)[counts], alpha))
        seen.add(int(rejected.sum()))
    assert len(seen) > 5
    assert 0 in seen


def test_so_many_samples_are_needed_and_one_less_does_not_do() -> None:
    for tau, alpha, questions in ((0.75, 0.001, 245_000), (0.9, 0.001, 10), (0.6, 0.05, 1)):
        needed = samples_needed(tau, alpha, questions)
        for num_samples, answered in ((needed, True), (needed - 1, False)):
            histogram = np.zeros(num_samples + 1, np.int64)
            histogram[-1] = questions
            assert (smallest_rejected_count(histogram, tau, alpha) is not None) == answered


def test_a_wrong_answer_is_as_rare_as_alpha_says() -> None:
    """Half of the questions have exactly the share tau, where an answer is wrong; the votes depend on each other."""
    generator, tau, alpha, repetitions = np.random.default_rng(1), 0.75, 0.05, 1000
    wrong = answered = 0
    for _ in range(repetitions):
        # Pairs of voxels see the same noise, so their votes are the same.
        level = generator.binomial(80, tau, 10).repeat(2)
        certain = generator.binomial(80, 0.97, 20)
        histogram = np.bincount(np.concatenate([level, certain]), minlength=81)
        threshold = smallest_rejected_count(histogram, tau, alpha)
        wrong += threshold is not None and bool((level >= threshold).any())
        answered += 0 if threshold is None else int((certain >= threshold).sum())
    assert wrong / repetitions <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / repetitions)
    assert wrong > 0
    assert answered / (20 * repetitions) > 0.95
