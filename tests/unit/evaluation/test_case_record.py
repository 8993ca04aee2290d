"""Records as lines: what is written is read, and so is what older versions wrote."""

import math

import pytest

from rogseg.evaluation.case_record import CLEAN, CaseRecord, class_mean

RECORD = CaseRecord(
    "a",
    "apgd_ce",
    8 / 255,
    {"Dice": (0.9, None), "HD95": (1.0, None)},
    {"Dice": (0.1, 0.0), "HD95": (9.0, 30.0)},
    success=True,
    distance_fraction=8 / 255,
    distance_network=(0.2,),
    distance_raw=(12.5,),
    num_forward=21,
    num_backward=20,
    num_bad_gradients=0,
    seconds=1.5,
    seed=7,
    found_distance=0.01,
    visibility={"SSIM": 0.99},
)


def test_a_line_is_read_as_it_was_written() -> None:
    assert CaseRecord.from_line(RECORD.to_line()) == RECORD
    clean = CaseRecord.of_clean("a", {"Dice": (0.9, None)}, prediction="abc")
    assert CaseRecord.from_line(clean.to_line()) == clean
    assert (clean.condition, clean.strength, clean.success) == (CLEAN, 0.0, None)


def test_dice_is_at_hand() -> None:
    assert RECORD.dice == (0.1, 0.0)
    assert RECORD.dice_clean == (0.9, None)
    assert RECORD.mean_dice == pytest.approx(0.05)
    assert RECORD.mean_clean == pytest.approx(0.9)
    without_label = CaseRecord.of_clean("a", {})
    assert without_label.dice == ()
    assert without_label.mean_dice is None


def test_mean_over_the_classes_that_have_a_value() -> None:
    assert class_mean((0.5, None, 1.0)) == 0.75
    assert class_mean((None,)) is None


def test_lines_of_schema_1_become_measures() -> None:
    attacked = CaseRecord.from_line(
        '{"schema": 1, "case_id": "a", "attack": "pgd", "epsilon": 0.03, "dice_clean": [0.9, null], '
        '"dice_adversarial": [0.2, 0.0], "success": true, "distance_fraction": 0.03, "distance_network": [0.1], '
        '"distance_raw": [5.0], "num_forward": 3, "num_backward": 2, "seconds": 1.5, "seed": 1, "found_distance": null}'
    )
    assert attacked.key == ("a", "pgd", 0.03)
    assert attacked.clean == {"Dice": (0.9, None)}
    assert attacked.measures == {"Dice": (0.2, 0.0)}
    assert attacked.distance_raw == (5.0,)
    tested = CaseRecord.from_line('{"schema": 1, "case_id": "a", "dice": [0.9], "nsd": [0.8], "hd95": [1.5]}')
    assert tested.condition == CLEAN
    assert tested.measures == {"Dice": (0.9,), "NSD": (0.8,), "HD95": (1.5,)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "JSON object"),
        ('{"schema": 7}', "schema version 7"),
        ('{"schema": 2, "case_id": "a"}', "missing keys .*'strength'"),
        (RECORD.to_line()[:-1] + ', "colour": 1}', "unknown keys .'colour'"),
        ('{"schema": 1, "case_id": "a"}', "missing or unknown keys"),
        ('{"schema": 1, "case_id": "a", "attack": "pgd"}', "missing or unknown keys"),
    ],
)
def test_a_foreign_line_is_refused(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CaseRecord.from_line(line)


def test_what_json_does_not_know_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        CaseRecord.of_clean("a", {"Dice": (math.nan,)}).to_line()
