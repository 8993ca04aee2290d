"""What fits into a time is reckoned from a pass, told, and kept for the next run."""

import dataclasses
from pathlib import Path

import pytest

from rogseg.engine.evaluating import cheaper_ways, evaluate_system
from rogseg.engine.evaluation_plan import (
    CURVE,
    ENSEMBLE,
    QUERIES,
    SHARE_OF_ATTACKS,
    SHARE_OF_CORRUPTIONS,
    Request,
    plan_attacks,
    plan_corruptions,
    read_plan,
)
from rogseg.storage import write_json_atomic

REQUEST = Request(60, "volume", (), 0, 0, ("fold=1",))


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
    # Of two cases no more than two can be asked for.
    assert len(plan_attacks(0.1, 2, both * 2.5).attacks) == 2


def test_without_a_gradient_a_black_box_is_tried() -> None:
    one_case = QUERIES.passes * 0.1 / SHARE_OF_ATTACKS / 60
    plan = plan_attacks(0.1, 50, one_case * 3.5, differentiable=False)
    assert [(attack.name, number) for attack, number in plan.attacks] == [("square_dice", 3)]


def test_a_system_without_a_gradient_is_only_queried() -> None:
    minutes = QUERIES.passes * 0.1 / SHARE_OF_ATTACKS / 60 * 50.5
    plan = plan_attacks(0.1, 60, minutes, differentiable=False)
    assert [(attack.name, number) for attack, number in plan.attacks] == [("square_dice", 50)]


def test_a_time_in_which_nothing_fits_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ValueError, match=r"too little: one pass of a case takes 10 s here, .* 15.4 min"):
        plan_attacks(10.0, 5, 1.0)
    with pytest.raises(ValueError, match="must be above 0"):
        plan_attacks(10.0, 5, 0.0)


def test_files_of_somebody_else_are_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    with pytest.raises(ValueError, match="holds figures, which no report has written"):
        evaluate_system(["no system"], tmp_path, minutes=1)


def test_only_what_is_not_done_yet_is_advised() -> None:
    assert "--protocol patch" in cheaper_ways("volume", {})
    assert cheaper_ways("patch", {"mirrored_axes": []}) == ""
    assert "mirroring=False" in cheaper_ways("patch", {"mirrored_axes": [0, 1, 2]})
    with pytest.raises(ValueError, match=r"give more, or take --protocol patch$"):
        plan_attacks(10.0, 5, 1.0, cheaper=cheaper_ways("volume", {}))


def test_corruptions_lose_severities_before_cases_and_then_are_left_out() -> None:
    one_case = (1 + 10 * 3) * 2.0 / SHARE_OF_CORRUPTIONS / 60
    planned = plan_corruptions(2.0, 10, 50, one_case * 4.5)
    assert planned is not None
    assert (planned.severities, planned.num_cases) == ((1, 3, 5), 4)
    assert planned.minutes == pytest.approx(4 * 31 * 2.0 / 60)
    fewer = plan_corruptions(2.0, 10, 50, one_case * 2.5)
    assert fewer is not None
    assert (fewer.severities, fewer.num_cases) == ((3,), 7)
    assert plan_corruptions(2.0, 10, 50, one_case / 4) is None
    assert plan_corruptions(2.0, 10, 2, one_case * 9.5).num_cases == 2  # type: ignore[union-attr]


def test_the_plan_is_told_part_by_part() -> None:
    plan = dataclasses.replace(plan_attacks(0.1, 1, 1000), corruptions=plan_corruptions(0.1, 10, 1, 1000))
    told = list(plan.lines(1000, accuracy=True))
    assert told[0] == "a pass of a case takes 0.1 s here; planned for 1000 minutes:"
    parts = ["accuracy", "apgd_ce", "segmentation_ensemble", "corruptions", "report"]
    assert [line.split()[0] for line in told[1:]] == parts
    assert "apgd_ce at 2/255, 4/255, 8/255: 1 case, about 0.1 minutes" in told[2]
    assert all(line.endswith(" and a tenth for sanity checks") for line in told[2:4])
    assert "corruptions at severity 1, 3, 5: 1 case, about 0.1 minutes" in told[4]


def test_the_next_run_goes_on_with_the_plan_of_the_first(tmp_path: Path) -> None:
    plan = dataclasses.replace(plan_attacks(0.1, 4, 30), corruptions=plan_corruptions(0.1, 10, 4, 30))
    path = tmp_path / "plan.json"
    write_json_atomic(path, {"plan": dataclasses.asdict(plan), "request": dataclasses.asdict(REQUEST)})
    assert read_plan(path) == (plan, REQUEST)
    REQUEST.refuse_other(REQUEST, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minutes": 5}, "begun with minutes 60, now it is 5"),
        ({"cases": ("a", "b")}, "begun with cases not given, now it is a b"),
        ({"seed": 1}, "begun with seed 0, now it is 1"),
        ({"options": ()}, "begun with options fold=1, now it is not given"),
    ],
)
def test_another_request_is_another_evaluation(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(REQUEST, **change).refuse_other(REQUEST, Path("plan.json"))  # type: ignore[arg-type]


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    contents: list[object] = [{"plan": {}}, [], {"plan": {"attacks": [], "seconds_per_pass": "1"}, "request": {}}]
    for content in contents:
        write_json_atomic(path, content)
        with pytest.raises(ValueError, match="not the plan of an evaluation"):
            read_plan(path)
