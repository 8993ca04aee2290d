"""What fits into a time is reckoned from a pass, and kept for the next run."""

import pytest

from rogseg.engine.evaluating import CURVE, ENSEMBLE, QUERIES, SHARE_OF_ATTACKS, plan_attacks


def test_more_time_takes_more_cases_and_then_the_ensemble() -> None:
    one_case = CURVE.passes * 0.1 / SHARE_OF_ATTACKS / 60
    short = plan_attacks(0.1, 50, one_case * 2.5)
    assert [(attack.name, number) for attack, number in short.attacks] == [("apgd_ce", 2)]
    both = (CURVE.passes + ENSEMBLE.passes) * 0.1 / SHARE_OF_ATTACKS / 60
    long = plan_attacks(0.1, 50, both * 7.5)
    assert [(attack.name, number) for attack, number in long.attacks] == [
        ("apgd_ce", 7),
        ("segmentation_ensemble", 7),
    ]
    assert plan_attacks(0.1, 4, both * 7.5).attacks[0][1] == 4


def test_a_system_without_a_gradient_is_only_queried() -> None:
    minutes = QUERIES.passes * 0.1 / SHARE_OF_ATTACKS / 60 * 50.5
    plan = plan_attacks(0.1, 60, minutes, differentiable=False)
    assert [(attack.name, number) for attack, number in plan.attacks] == [("square_dice", 50)]


def test_a_time_in_which_nothing_fits_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ValueError, match=r"too little: one pass of a case takes 10 s here, .* 13.3 min"):
        plan_attacks(10.0, 5, 1.0)
