"""Rows of a table: worst cases, cascades, verdicts, what is missing; and what notes say about them."""

from pathlib import Path

import numpy as np
import pytest

from rogseg.engine.attacking.measured_case import measured
from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord, PerClass
from rogseg.evaluation.notes import notes_on
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.robustness_table import robustness_tables
from rogseg.evaluation.summary import ConditionSummary, area_under_curve, summarise_all, worst_case
from rogseg.metrics import HD95, NSD, Dice, FalseVolume, LesionFalsePositives, VolumeError, measure_classes
from tests.identities import IDENTITY, cascade, dice_record, identity_with, of_cases

EPSILON = 8 / 255


def filled(directory: Path) -> RecordFolder:
    folder = RecordFolder(directory, IDENTITY)
    folder.add(dice_record("a", CLEAN, (0.9, 0.8)))
    folder.add(dice_record("b", CLEAN, (0.9, None)))
    folder.add(dice_record("a", "APGD-CE", (0.2, 0.6), success=True))
    folder.add(dice_record("b", "APGD-CE", (0.7, None)))
    folder.add(dice_record("a", "Square", (0.5, 0.5)))
    return folder


def rows_of(folder: RecordFolder) -> dict[tuple[str, float], ConditionSummary]:
    return {(row.condition, row.strength): row for row in summarise_all(folder)}


def test_rows_of_the_table(tmp_path: Path) -> None:
    rows = rows_of(filled(tmp_path))
    assert list(rows) == [(CLEAN, 0.0), ("APGD-CE", EPSILON), ("Square", EPSILON), (WORST_CASE, EPSILON)]
    assert rows[CLEAN, 0.0].mean_dice == pytest.approx((0.85 + 0.9) / 2)
    assert rows[CLEAN, 0.0].standing == {}
    attacked = rows["APGD-CE", EPSILON]
    assert attacked.dice == pytest.approx({"a": 0.4, "b": 0.7})
    assert attacked.by_case("Dice", 1) == {"a": 0.6}
    assert attacked.largest_distance("distance_raw") == pytest.approx((EPSILON * 5,))
    assert rows[WORST_CASE, EPSILON].robust_accuracy == pytest.approx(0.5)


def test_worst_case_takes_the_lowest_mean_and_the_lowest_of_each_class(tmp_path: Path) -> None:
    worst = worst_case(filled(tmp_path), EPSILON)
    assert worst.dice == pytest.approx({"a": 0.4, "b": 0.7})
    assert worst.by_case("Dice", 0) == {"a": 0.2, "b": 0.7}
    assert worst.by_case("Dice", 1) == {"a": 0.5}
    assert worst.standing == {"a": False, "b": True}


def test_what_a_smaller_epsilon_took_of_a_class_a_larger_one_takes_too(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    for strength, dice in ((0.01, (0.3, 0.9)), (0.02, (0.5, 0.5))):
        folder.add(dice_record("a", "APGD-CE", dice, strength=strength))
    worst = worst_case(folder, 0.02)
    assert worst.dice == pytest.approx({"a": 0.5})
    assert [worst.by_case("Dice", index) for index in (0, 1)] == [{"a": 0.3}, {"a": 0.5}]
    assert [worst_case(folder, 0.01).by_case("Dice", index) for index in (0, 1)] == [{"a": 0.3}, {"a": 0.9}]


def test_success_of_any_attack_is_success_of_the_worst_case(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    folder.add(dice_record("a", "APGD-CE", (0.2, 0.2), success=False))
    folder.add(dice_record("a", "Lesion", (0.8, 0.8), success=True))
    assert worst_case(folder, EPSILON).standing == {"a": False}


def test_a_case_that_had_fallen_before_the_cascade_counts(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    folder.add(dice_record("a", CLEAN, (0.1, 0.1)))
    folder.add(dice_record("a", WORST_CASE, (0.1, 0.1), success=True))
    assert folder.conditions() == ()
    assert worst_case(folder, EPSILON).dice == pytest.approx({"a": 0.1})


def test_a_case_without_foreground_is_neither_success_nor_failure(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    folder.add(dice_record("a", "APGD-CE", (0.0, None), success=None))
    assert rows_of(folder)["APGD-CE", EPSILON].standing == {}


def test_what_is_missing_is_counted(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    rows = rows_of(folder)
    assert [row.num_missing for row in rows.values()] == [0, 0, 1, 2]
    notes = " ".join(notes_on(folder))
    assert "INCOMPLETE: Square at 8/255 is over 1 of 2 cases" in notes
    assert "APGD-CE at" not in notes


def test_a_case_that_an_ensemble_is_not_done_with_is_missing_and_no_part_of_the_worst_case(tmp_path: Path) -> None:
    folder = cascade(tmp_path, {EPSILON: 0}, num_cases=2)
    kept = [record for record in folder.records if (record.case_id, record.condition) != ("case_1", WORST_CASE)]
    stopped = RecordFolder(tmp_path / "stopped", folder.identity)
    for record in kept:
        stopped.add(record)
    worst = worst_case(stopped, EPSILON)
    assert (list(worst.records), worst.num_missing, worst.share_of_cases) == (["case_0"], 1, "1 of 2")


def test_the_worst_of_corruptions_is_over_the_cases_that_have_all_of_them(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, identity_with("condition.kind", "corruption"))
    for case_id, names in {"a": ("Blur", "Motion"), "b": ("Blur",)}.items():
        for name in names:
            folder.add(dice_record(case_id, name, (0.5, 0.5), strength=3.0))
    assert worst_case(folder, 3.0).num_missing == 1
    folder.add(dice_record("b", "Motion", (0.4, 0.4), strength=3.0))
    assert worst_case(folder, 3.0).share_of_cases == "2"


def test_members_that_a_cascade_did_not_need_are_not_missing(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    folder.add(dice_record("a", WORST_CASE, (0.2, 0.6), success=True))
    folder.add(dice_record("b", WORST_CASE, (0.7, None)))
    assert all(row.num_missing == 0 for row in summarise_all(folder))


def test_a_cascade_has_its_worst_case_where_one_member_or_none_was_enough(tmp_path: Path) -> None:
    folder = cascade(tmp_path / "one", {2 / 255: 6, 8 / 255: 6}, num_cases=6)
    assert folder.conditions() == ("APGD-CE",)
    rows = rows_of(folder)
    assert [rows[WORST_CASE, epsilon].share_of_cases for epsilon in (2 / 255, 8 / 255)] == ["6", "6"]
    assert rows[WORST_CASE, 8 / 255].mean_dice == pytest.approx(0.1)
    assert [row[0] for row in robustness_tables(folder, "")[0].rows].count(WORST_CASE) == 2
    fallen = RecordFolder(tmp_path / "none", IDENTITY)
    for case_id in ("a", "b"):
        fallen.add(dice_record(case_id, CLEAN, (0.1, 0.1)))
        fallen.add(dice_record(case_id, WORST_CASE, (0.1, 0.1), success=True))
    assert list(rows_of(fallen)) == [(CLEAN, 0.0), (WORST_CASE, EPSILON)]


def test_a_single_attack_has_no_worst_case(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    folder.add(dice_record("a", "APGD-CE", (0.2, 0.2), success=True))
    assert list(rows_of(folder)) == [(CLEAN, 0.0), ("APGD-CE", EPSILON)]


FALSE_LABEL = np.array([[[0, 1, 2]]], dtype=np.uint8)
"""A voxel of the organ, found; one of a lesion that is not there."""
IN_RAW_GRID = measure_classes((Dice(), FalseVolume()), FALSE_LABEL, FALSE_LABEL % 2, (1, 1, 1), ((1,), (2,)))
UNDER_ATTACK = measured((Dice(), FalseVolume()), FALSE_LABEL, FALSE_LABEL % 2, (1, 1, 1), ((1,), (2,)))


def test_under_attack_a_class_that_is_not_there_has_what_a_right_absence_has() -> None:
    measures = (Dice(), NSD(1.0), HD95(), VolumeError(), FalseVolume(), LesionFalsePositives())
    absent = np.zeros((8, 8, 8), np.uint8)
    found = absent.copy()
    found[:2] = 1
    before, after = (measured(measures, labels, absent, (1, 1, 1), ((1,),)) for labels in (absent, found))
    assert {name: value for name, (value,) in before.items() if value is not None} == {
        "false volume": 0.0,
        "false lesions": 0.0,
    }
    assert {name: value for name, (value,) in after.items() if value is not None} == {
        "false volume": pytest.approx(0.128),
        "false lesions": 1.0,
    }


@pytest.mark.parametrize(
    ("taken", "mean_dice", "said"),
    [
        ((IN_RAW_GRID, IN_RAW_GRID), 0.5, "its Dice counts as 0 there"),
        ((UNDER_ATTACK, UNDER_ATTACK), 1.0, "it has no Dice there, so no mean Dice holds this"),
        ((IN_RAW_GRID, UNDER_ATTACK), 0.75, "its Dice counts as 0 there in 1 of these"),
    ],
)
def test_a_class_that_appears_where_none_is_is_counted_openly(
    tmp_path: Path, taken: tuple[dict[str, PerClass], ...], mean_dice: float, said: str
) -> None:
    measures = (Dice().describe(), FalseVolume().describe())
    folder = RecordFolder(tmp_path, of_cases(3, measures=measures))
    for number, values in enumerate(taken):
        folder.add(CaseRecord.of_clean(f"case_{number}", values))
    assert summarise_all(folder)[0].mean_dice == pytest.approx(mean_dice)
    folder.add(CaseRecord.of_clean("case_2", {"Dice": (1.0, None), "false volume": (None, 0.0)}))
    notes = notes_on(folder)
    place, (note,) = notes[-1], [note for note in notes if "is absent" in note]
    found = "clean: lesion is absent from 3 targets and predicted in 2 of them, from 0.001 to 0.001 ml"
    assert note == f"{found}; {said}."
    assert place.startswith("Measured on whole volumes in the network's grid")


def test_a_class_that_appears_under_attack_is_told_of_each_epsilon(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, of_cases(1, measures=(Dice().describe(), FalseVolume().describe())))
    folder.add(CaseRecord.of_clean("case_0", {"Dice": (0.9, None), "false volume": (None, 0.0)}))
    for epsilon, volume in ((2 / 255, 1.0), (8 / 255, 41.0)):
        measures: dict[str, PerClass] = {"Dice": (0.5, None), "false volume": (None, volume)}
        folder.add(CaseRecord("case_0", "apgd_ce", epsilon, {"Dice": (0.9, None)}, measures, True))
    notes = [note for note in notes_on(folder) if "absent" in note]
    assert [note.partition(" is absent")[0] for note in notes] == [
        "apgd_ce at 2/255: lesion",
        "apgd_ce at 8/255: lesion",
    ]


@pytest.mark.parametrize(("leak", "words"), [("selected on", "was selected on these"), ("not known", "is not known")])
def test_a_leak_is_said(tmp_path: Path, leak: str, words: str) -> None:
    folder = RecordFolder(tmp_path, identity_with("leak", leak))
    for case_id in ("a", "b"):
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.8)))
    assert words in notes_on(folder)[0]


def test_the_area_is_noted_once_it_is_whole(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    folder.add(dice_record("a", "APGD-CE", (0.1, 0.1), 16 / 255))
    assert not any("area" in note for note in notes_on(folder))
    folder.add(dice_record("b", "APGD-CE", (0.1, 0.1), 16 / 255))
    area = (8 * (0.875 + 0.55) / 2 + 8 * (0.55 + 0.1) / 2) / 16
    assert f"APGD-CE: area under mean Dice over epsilon up to 16/255 {area:.3f}, of at most 1." in notes_on(folder)


def test_a_member_of_a_cascade_has_no_area_and_is_said_to_meet_a_part_of_the_cases(tmp_path: Path) -> None:
    folder = cascade(tmp_path, {2 / 255: 2, 8 / 255: 9}, num_cases=12)
    spared = {(row.condition, row.strength): row.num_spared for row in summarise_all(folder) if row.num_spared}
    assert spared == {("Square", 2 / 255): 2, ("Square", 8 / 255): 9}
    notes = notes_on(folder)
    assert [note.partition(":")[0] for note in notes if "area" in note] == ["APGD-CE"]
    assert any("of 12 here Square 3 to 10: means of these members do not compare" in note for note in notes)
    assert [row[2] for row in robustness_tables(folder, "")[0].rows] == [
        "12",
        "12",
        "10 of 12",
        "12",
        "12",
        "3 of 12",
        "12",
    ]


def test_area_under_curve() -> None:
    assert area_under_curve([0.0, 0.01, 0.04], [1.0, 0.75, 0.0]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="ascend"):
        area_under_curve([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="at least two"):
        area_under_curve([0.0], [1.0])
