import pytest

from rogseg.evaluation.corruption_summary import CorruptionValues, relative_error, summarise_corruptions

CLEAN = {"a": 0.9, "b": 0.8}
VALUES = CorruptionValues(
    CLEAN,
    {
        ("Blur", 1): {"a": 0.9, "b": 0.7},
        ("Blur", 2): {"a": 0.6, "b": 0.4},
        ("Gamma", 1): {"a": 0.8, "b": 0.8},
        ("Gamma", 2): {"a": 0.5, "b": 0.6},
    },
)


def test_the_numbers_of_a_network_are_those_of_a_sum_by_hand() -> None:
    summary = summarise_corruptions(VALUES)
    assert summary.clean.mean == pytest.approx(0.85)
    assert summary.levels[1].mean == pytest.approx((0.9 + 0.7 + 0.8 + 0.8) / 4)
    assert summary.levels[2].mean == pytest.approx((0.6 + 0.4 + 0.5 + 0.6) / 4)
    # Weights 2/3 and 4/9 are 0.6 and 0.4 of their sum.
    blur, gamma = 0.6 * 0.8 + 0.4 * 0.5, 0.6 * 0.8 + 0.4 * 0.55
    assert summary.weighted.mean == pytest.approx((blur + gamma) / 2)
    assert summary.worst.mean == pytest.approx((0.5 + 0.4) / 2)
    assert summary.worst_condition is not None
    assert summary.worst_condition[:2] == ("Blur", 2)
    assert summary.worst_condition[2] == pytest.approx(0.5)
    assert summary.num_corruptions == 2


def test_a_case_that_lacks_a_value_is_in_none_of_the_means() -> None:
    under = {**VALUES.under, ("Gamma", 2): {"a": 0.5}}
    summary = summarise_corruptions(CorruptionValues(CLEAN, under))
    assert summary.clean.num_cases == summary.worst.num_cases == summary.levels[1].num_cases == 1
    assert summary.clean.mean == pytest.approx(0.9)
    nothing = summarise_corruptions(CorruptionValues(CLEAN, {("Gamma", 2): {}}))
    assert nothing.weighted.mean is None
    assert nothing.worst_condition is None


def test_a_severity_is_over_the_corruptions_that_have_all() -> None:
    """Else the easier corruption alone at 2 would make the higher severity look the milder one."""
    under = {key: by_case for key, by_case in VALUES.under.items() if key != ("Blur", 2)}
    summary = summarise_corruptions(CorruptionValues(CLEAN, under))
    assert summary.levels[1].mean == pytest.approx(0.8)
    assert summary.levels[2].mean == pytest.approx(0.55)
    assert summary.weighted.mean == pytest.approx((0.8 + 0.6 * 0.8 + 0.4 * 0.55) / 2)
    assert (summary.num_corruptions, summary.num_at_all, summary.has_all_severities) == (2, 1, False)
    assert summary.severities == {"Blur": (1,), "Gamma": (1, 2)}
    assert summarise_corruptions(VALUES).has_all_severities
    none = summarise_corruptions(CorruptionValues(CLEAN, {("Blur", 1): CLEAN, ("Gamma", 2): CLEAN}))
    assert [level.mean for level in none.levels.values()] == [None, None]


def test_errors_are_a_share_of_the_baseline_where_both_were_corrupted() -> None:
    assert relative_error(VALUES, VALUES) == pytest.approx(1)
    half = {key: {case: 1 - (1 - dice) / 2 for case, dice in by.items()} for key, by in VALUES.under.items()}
    better = CorruptionValues(CLEAN, {**half, ("Motion", 1): {"a": 0.0, "b": 0.0}})
    assert relative_error(better, VALUES) == pytest.approx(0.5)
    assert relative_error(VALUES, better) == pytest.approx(2)
    assert relative_error(VALUES, CorruptionValues(CLEAN, {("Motion", 1): CLEAN})) is None
