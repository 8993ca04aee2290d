"""Which clean values a row of a report compares with."""

import dataclasses
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.identity import Condition
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.contents import Contents
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.rows import Condition as RowCondition
from rogseg.report.rows import ConditionKind
from rogseg.report.summaries import clean_estimate
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.verdict import verdict_of
from tests.identities import IDENTITY, dice_record

Dice = tuple[float | None, ...]
BLUR = Condition("corruption", "x", {"corruptions": {"blur": {}}})
CORRUPTED: dict[str, Any] = {"condition": BLUR, "threat": None, "criterion": None}
RAW = {"protocol": "raw grid"}
MADE_ON = {"kind": "rogseg", "name": "other", "digest": "f", "options": {}}


def folder(path: Path, cases: str, under: str, clean: Dice, dice: Dice, **changes: Any) -> Path:
    identity = dataclasses.replace(IDENTITY, data={case_id: f"digest of {case_id}" for case_id in cases}, **changes)
    records = RecordFolder(path, identity)
    for case_id in cases:
        for condition, of_one in ((CLEAN, clean), *([(under, dice)] if identity.condition is not None else [])):
            records.add(dataclasses.replace(dice_record(case_id, condition, of_one), seed=identity.seed or 0))
    return path


def clean_of(made: Contents, kind: ConditionKind) -> tuple[float | None, int]:
    (row,) = made.rows_of("best", (kind,))
    found = clean_estimate(made, row)
    return found.value, found.cases


def test_as_many_other_cases_have_other_clean_values(tmp_path: Path) -> None:
    attack = folder(tmp_path / "a", "abc", "apgd_ce", (0.9, 0.9), (0.3, 0.3))
    blur = folder(tmp_path / "b", "xyz", "blur", (0.5, 0.5), (0.4, 0.4), **CORRUPTED)
    for order in ([attack, blur], [blur, attack]):
        made = contents_of(order, tmp_path)
        assert (clean_of(made, "attack"), clean_of(made, "corruption")) == ((0.9, 3), (0.5, 3))
        assert "goes from 0.90 to 0.30" in verdict_of(made, "best").sentence
        assert "goes from 0.90 to 0.30" in render_page(made)
        (results,) = [table for table in report_tables(made) if table.name == "results"]
        assert {row[-1] for row in results.rows if row[1] == "clean"} == {"for attacks", "for corruptions"}


def test_a_rule_of_dice_has_clean_values_of_its_own(tmp_path: Path) -> None:
    """A class that the cases lack is found: that is a Dice of 0 under corruptions, and none of a transfer."""
    transfer = Condition("transfer", "apgd_ce", {"type": "APGD", "surrogate": MADE_ON})
    blur = folder(tmp_path / "b", "ab", "blur", (0.9, 0.0), (0.8, 0.0), **RAW, **CORRUPTED)
    given = folder(tmp_path / "t", "ab", "apgd_ce", (0.9, None), (0.8, None), **RAW, condition=transfer)
    for order in ([given, blur], [blur, given]):
        made = contents_of(order, tmp_path)
        assert (clean_of(made, "transfer"), clean_of(made, "corruption")) == ((0.9, 2), (0.45, 2))
        assert any("found in a case without it" in limit for limit in made.limits)
    # A test takes Dice as corruptions do, so it is no accuracy that stands alone.
    test = folder(tmp_path / "c", "ab", "blur", (0.9, 0.0), (0.8, 0.0), **RAW, **{**CORRUPTED, "condition": None})
    made = contents_of([test, blur], tmp_path)
    assert len(made.rows_of("best", ("clean",))) == 1
    assert not any("found in a case without it" in limit for limit in made.limits)


def test_clean_values_of_the_same_records_go_before_those_of_others(tmp_path: Path) -> None:
    made = contents_of([folder(tmp_path / "a", "ab", "apgd_ce", (0.9, 0.9), (0.3, 0.3))], tmp_path)
    clean, attacked = made.rows
    origin = dataclasses.replace(made.origins[0], key="records-0")
    other = dataclasses.replace(clean, origin="records-0")
    both = dataclasses.replace(made, rows=(other, clean, attacked), origins=(origin, *made.origins))
    assert both.clean_of(attacked) == clean


def test_a_page_stands_without_a_clean_value(tmp_path: Path) -> None:
    made = contents_of([folder(tmp_path / "a", "ab", "apgd_ce", (None, None), (0.3, 0.3))], tmp_path)
    assert verdict_of(made, "best").headline == "has no verdict"
    assert "<dd>&ndash;</dd>" in render_page(made)


def test_clean_values_of_all_measures_stand_in_one_row(tmp_path: Path) -> None:
    attack = folder(tmp_path / "a", "ab", "apgd_ce", (0.9, 0.9), (0.3, 0.3))
    identity = dataclasses.replace(IDENTITY, data={case_id: f"digest of {case_id}" for case_id in "ab"}, seed=7)
    records = RecordFolder(tmp_path / "b", identity)
    for case_id in "ab":
        values = {"Dice": (0.9, 0.9), "HD95": (1.0, 2.0)}
        record = dataclasses.replace(dice_record(case_id, CLEAN, (0.9, 0.9)), clean=values, measures=values, seed=7)
        records.add(record)
    for order in ([attack, tmp_path / "b"], [tmp_path / "b", attack]):
        (clean,) = contents_of(order, tmp_path).rows_of("best", ("clean",))
        assert [case.values["HD95"] for case in clean.cases] == [(1.0, 2.0)] * 2


def test_clean_rows_of_several_kinds_are_told_apart_wherever_they_stand() -> None:
    assert RowCondition("clean", "clean", budget="for attacks").full_title == "clean, for attacks"
    assert RowCondition("attack", "pgd", budget="20 iterations").full_title == "pgd"


def test_a_class_of_the_worst_case_is_its_lowest_in_every_table_and_that_is_said(tmp_path: Path) -> None:
    fgsm = Condition("attack", "fgsm", {"type": "FGSM"})
    one = folder(tmp_path / "a", "ab", "apgd_ce", (0.9, 0.9), (0.1, 0.5))
    two = folder(tmp_path / "b", "ab", "fgsm", (0.9, 0.9), (0.4, 0.3), condition=fgsm)
    tables = {table.name: table for table in report_tables(contents_of([one, two], tmp_path))}
    worst = [row for row in tables["cases"].rows if row[2] == "worst case"]
    assert [row[4:7] for row in worst] == [(0.3, 0.1, 0.3)] * 2
    for name in ("cases", "results"):
        assert any("which another of the attacks may have left" in note for note in tables[name].notes)
