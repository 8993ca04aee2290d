import dataclasses

import pytest

from rogseg.report.contents import MeasureText
from rogseg.report.curves import curves_of
from rogseg.report.estimates import Estimate, mean_over_cases, paired_difference, share_of_cases
from rogseg.report.rows import CaseValues, Condition, Row
from rogseg.report.summaries import (
    class_estimates,
    difference_of,
    estimate_of,
    fell_by,
    reference_strength,
    smallest_fooling,
    worst_of,
    worst_rows,
)
from rogseg.report.views.cases import case_lines
from tests.unit.report.synthetic import contents, row

DICE = MeasureText("Dice", "Dice", is_primary=True)


def attack(name: str, strength: float, label: str = "") -> Condition:
    return Condition("attack", name, strength, label or f"{strength:g}", "Linf")


def test_a_class_without_value_does_not_count() -> None:
    given = row("a", attack("x", 1), {"1": (0.5, None), "2": (0.7, None), "3": (None, None)}, None, "o")
    assert estimate_of(given, DICE).value == pytest.approx(0.6)
    assert estimate_of(given, DICE).cases == 2
    first, second = class_estimates(given, DICE, 2)
    assert (first.cases, second.cases, second.value) == (2, 0, None)
    assert second.text() == "-"


def test_intervals_are_given_from_five_cases_on() -> None:
    assert not mean_over_cases([0.1, 0.2, 0.3, 0.4]).has_interval
    five = mean_over_cases([0.1, 0.2, 0.3, 0.4, 0.5])
    assert five.has_interval
    # Student's t with four degrees of freedom: 2.776 standard errors of 0.0707.
    assert five.lower == pytest.approx(0.3 - 2.776445 * 0.0707107, abs=1e-4)
    assert mean_over_cases([0.1, 0.2, 0.3, 0.4, 0.5], (0.2, 1.0)).lower == 0.2
    assert not mean_over_cases([0.5] * 8).has_interval
    all_of_them = share_of_cases([True] * 12 + [None])
    assert (all_of_them.value, all_of_them.upper, all_of_them.cases) == (1.0, 1.0, 12)
    assert all_of_them.lower == pytest.approx(0.7575, abs=1e-3)


def test_differences_are_paired() -> None:
    first, second = [0.1, 0.9, 0.4, 0.6, 0.2, None], [0.2, 1.0, 0.5, 0.7, 0.31, 0.9]
    difference = paired_difference(first, second)
    assert difference.value == pytest.approx(0.102)
    assert difference.cases == 5
    assert difference.lower is not None
    assert difference.lower > 0.09  # far narrower than the spread of either
    a = row("a", attack("x", 1), {"1": (0.5,), "2": (0.6,)}, None, "o")
    b = row("b", attack("x", 1), {"2": (0.9,), "3": (0.1,)}, None, "o")
    assert difference_of(a, b, DICE).value == pytest.approx(0.3)
    assert difference_of(a, b, DICE).cases == 1


def test_a_difference_of_dice_is_at_most_one() -> None:
    befores, afters = (0.0, 0.96, 0.0, 0.98, 0.0), (0.95, 0.0, 0.97, 0.0, 0.9)
    first, second = (
        row(name, attack("x", 1), {str(case): (value,) for case, value in enumerate(values)}, None, "o")
        for name, values in (("a", befores), ("b", afters))
    )
    bounded = dataclasses.replace(DICE, bounds=(0.0, 1.0))
    assert difference_of(first, second, bounded).upper == 1
    assert (difference_of(first, second, DICE).upper or 0) > 1
    # How far off zero a value from -1 to 1 is differs by 1 at most, too.
    off_zero = MeasureText("Dice", "Dice", better="zero", bounds=(-1.0, 1.0))
    assert difference_of(second, first, off_zero).lower == -1


@pytest.mark.parametrize(("sign", "shown"), [(False, "0.000"), (True, "+0.000")])
def test_what_rounds_to_zero_has_no_minus(sign: bool, shown: str) -> None:
    assert Estimate(-1e-4, -2e-4, 1e-4, 9).text(sign=sign) == f"{shown} [{shown}, {shown}]"
    assert Estimate(-6e-4, None, None, 3).text() == "-0.001"


def test_the_worst_case_takes_the_lowest_mean_and_the_lowest_class() -> None:
    one = row("a", attack("x", 1), {"1": (0.2, 0.8), "2": (0.9, 0.9)}, 0.55, "o")
    two = row("a", attack("y", 1), {"1": (0.6, 0.3), "2": (None, None), "3": (0.1, 0.2)}, 0.55, "o")
    worst = worst_of([one, two], "Dice")
    by_case = {case.case_id: case for case in worst.cases}
    assert worst.condition.kind == "worst case"
    assert by_case["1"].values["Dice"] == (0.6, 0.3)
    assert by_case["1"].lows == (0.2, 0.3)
    assert by_case["2"].values["Dice"] == (0.9, 0.9)
    assert set(by_case) == {"1", "2", "3"}
    assert [by_case[case].fell for case in "123"] == [True, False, True]
    assert class_estimates(worst, DICE, 2)[0].value == pytest.approx((0.2 + 0.9 + 0.1) / 3)
    # Other measures are those of the attack with the lowest mean of the primary one.
    assert class_estimates(worst, MeasureText("NSD", "NSD"), 2)[0].value is None


def test_worst_rows_choose_the_worst_case_where_there_are_several_attacks() -> None:
    made = contents(num_cases=5, systems=("a",))
    rows = worst_rows(made, "a", "Linf")
    assert [r.condition.kind for r in rows] == ["worst case"] * 4
    assert [r.condition.strength for r in rows] == sorted(r.condition.strength for r in rows)
    alone = contents(num_cases=5, systems=("a",), attacks=("pgd",))
    assert {r.condition.name for r in worst_rows(alone, "a", "Linf")} == {"pgd"}
    assert worst_rows(made, "a", "L2") == ()
    without = dataclasses.replace(made, rows=tuple(r for r in made.rows if r.condition.kind != "worst case"))
    with pytest.raises(ValueError, match="worst case"):
        worst_rows(without, "a", "Linf")


@pytest.mark.parametrize(("epsilons", "chosen"), [((2, 8, 16), 8), ((2, 4), 4), ((16, 6), 6)])
def test_the_reference_epsilon_is_the_one_nearest_to_8(epsilons: tuple[int, ...], chosen: int) -> None:
    made = contents(num_cases=5, systems=("a",), epsilons=epsilons)
    assert reference_strength(made, "a", "Linf") == pytest.approx(chosen / 255)


def test_epsilons_that_are_no_share_of_a_width_have_the_largest_as_their_reference() -> None:
    made = contents(num_cases=5, systems=("a",), epsilons=(2, 8, 16))
    (threat,) = made.threats
    in_raw = dataclasses.replace(made, threats=(dataclasses.replace(threat, scale=1.0),))
    assert reference_strength(in_raw, "a", "Linf") == pytest.approx(16 / 255)
    # Another threat model in raw units takes nothing from this one.
    both = dataclasses.replace(made, threats=(threat, dataclasses.replace(threat, norm="L2", scale=1.0)))
    assert reference_strength(both, "a", "Linf") == pytest.approx(8 / 255)
    assert reference_strength(both, "a", "L2") is None


def test_a_case_counts_from_the_smallest_epsilon_at_which_it_fell() -> None:
    weak = row("a", attack("x", 2, "2"), {"1": (0.9,), "2": (0.1,), "3": (0.9,), "4": (None,)}, 0.5, "o")
    strong = row("a", attack("x", 8, "8"), {"1": (0.1,), "2": (0.9,), "3": (0.9,), "4": (None,)}, 0.5, "o")
    found = smallest_fooling([strong, weak])
    assert {case: c and c.label for case, c in found.items()} == {"1": "8", "2": "2", "3": None}
    points, count = fell_by([strong, weak])
    assert count == 3
    assert [(strength, label) for strength, label, _ in points] == [(2, "2"), (8, "8")]
    assert [share for *_, share in points] == pytest.approx([1 / 3, 2 / 3])


def test_cases_that_were_not_attacked_at_every_epsilon_yet_do_not_stand() -> None:
    weak = row("a", attack("x", 2, "2"), {"1": (0.9,), "2": (0.1,), "3": (0.9,), "4": (0.1,)}, 0.5, "o")
    strong = row("a", attack("x", 8, "8"), {"1": (0.1,), "2": (0.1,)}, 0.5, "o")
    points, count = fell_by([strong, weak])
    assert count == 2
    assert [share for *_, share in points] == pytest.approx([1 / 2, 1])
    unshared = row("a", attack("x", 16, "16"), {"5": (0.1,)}, 0.5, "o")
    assert fell_by([weak, unshared])[1] == 0
    assert fell_by([]) == ((), 0)
    lines = case_lines(contents(num_cases=1), None, [weak, strong])
    assert [(line.case_id, line.fell_at is not None, line.stands) for line in lines] == [
        ("1", True, False), ("2", True, False), ("3", False, False), ("4", True, False),
    ]  # fmt: skip
    (both,) = case_lines(contents(num_cases=1), None, [row("a", attack("x", 2, "2"), {"1": (0.9,)}, 0.5, "o")])
    assert both.stands


def test_curves_begin_at_the_clean_value_and_ascend() -> None:
    made = contents(num_cases=5, systems=("a",), attacks=("pgd",))
    clean = made.rows_of("a", ("clean",))[0]
    (curve,) = curves_of(clean, made.rows_of("a", ("attack",))[::-1], DICE)
    assert [point.label for point in curve.points] == ["clean", "2/255", "4/255", "8/255", "16/255"]
    values = [point.estimate.value or 0 for point in curve.points]
    assert values == sorted(values, reverse=True)
    assert len(curve.points[1].cases) == 5


def test_a_curve_is_over_the_cases_that_all_of_its_points_have() -> None:
    clean = row("a", Condition("clean", "clean"), {"1": (0.9,), "2": (0.8,), "3": (0.7,)}, None, "o")
    rows = [
        row("a", attack("Square", 2), {"2": (0.6,), "3": (0.5,)}, None, "o"),
        row("a", attack("Square", 8), {"3": (0.4,)}, None, "o"),
        row("a", attack("pgd", 8), {"1": (0.1,), "2": (0.2,), "3": (0.3,)}, None, "o"),
        row("a", attack("elsewhere", 8), {"4": (0.1,)}, None, "o"),
    ]
    square, pgd = curves_of(clean, rows, DICE)
    assert [point.estimate.value for point in square.points] == pytest.approx([0.7, 0.5, 0.4])
    assert [point.cases for point in square.points] == [(("3", 0.7),), (("3", 0.5),), (("3", 0.4),)]
    assert (square.title, pgd.title) == ("Square, 1 of 4 cases", "pgd, 3 of 4 cases")
    assert curves_of(clean, rows[2:3], DICE)[0].title == "pgd"


def test_a_class_that_is_found_falsely_at_a_strength_makes_its_case_no_part_of_the_curve() -> None:
    clean = row("a", Condition("clean", "clean"), {"1": (0.8,), "lacks it": (None,), "2": (None,)}, None, "o")
    strong = row("a", Condition("corruption", "Blur", 5), {"1": (0.7,), "lacks it": (0.0,), "2": (None,)}, None, "o")
    (curve,) = curves_of(clean, [strong], DICE)
    assert [point.estimate.value for point in curve.points] == [0.8, 0.7]
    assert [point.estimate.cases for point in curve.points] == [1, 1]
    assert curve.title == "Blur, 2 of 3 cases"


def test_clean_values_are_those_of_the_same_setting() -> None:
    made = contents(num_cases=5, systems=("a",), attacks=("pgd",))
    cases = (CaseValues("case 1", {"Dice": (0.99, 0.99)}),)
    elsewhere = Row("a", Condition("clean", "clean"), cases, "records-1", "raw grid")
    both = dataclasses.replace(made, rows=(elsewhere, *made.rows))
    attacked = both.rows_of("a", ("attack",))[0]
    clean = both.clean_of(attacked)
    assert clean is not None
    assert clean.setting == ""
    assert [r for r in both.rows if both.is_accuracy(r)] == [elsewhere]


def test_contents_refuse_rows_of_unknown_systems_and_origins() -> None:
    made = contents(num_cases=5, systems=("a",))
    stranger = dataclasses.replace(made.rows[0], system="b")
    with pytest.raises(ValueError, match="'b'"):
        dataclasses.replace(made, rows=(stranger,))
    with pytest.raises(ValueError, match="nowhere"):
        dataclasses.replace(made, rows=(dataclasses.replace(made.rows[0], origin="nowhere"),))
    with pytest.raises(ValueError, match="measure"):
        dataclasses.replace(made, measures=())


def test_differences_of_what_is_best_at_zero_are_of_its_size_in_each_class() -> None:
    measure = MeasureText("volume error", "volume error", "ml", "zero")
    first, second = (
        Row("a", Condition("clean", "clean"), (CaseValues("1", {"volume error": values}),), "o")
        for values in ((5.0, -5.0), (-0.2, None))
    )
    assert difference_of(first, second, measure).value == pytest.approx(0.2 - 5)
    assert (measure.heading, measure.compared) == ("signed volume error [ml]", "the size of volume error")
    assert (DICE.heading, DICE.compared) == ("Dice", "Dice")
