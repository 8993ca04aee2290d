"""The tables of a test, an attack and a corruption, on values known beforehand."""

import csv
import dataclasses
import io
from pathlib import Path

import pytest

from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table
from rogseg.evaluation.case_record import CLEAN, CaseRecord, PerClass
from rogseg.evaluation.identity import Condition
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables, evaluation_title
from rogseg.metrics import HD95, NSD, Dice, VolumeError
from tests.identities import IDENTITY, dice_record, of_cases

MEASURES = tuple(measure.describe() for measure in (Dice(), NSD(1.0), HD95(), VolumeError()))
TEST = dataclasses.replace(
    IDENTITY, condition=None, threat=None, criterion=None, protocol="raw grid", measures=MEASURES, seed=None
)


def of_test(directory: Path) -> RecordFolder:
    folder = RecordFolder(directory, TEST)
    values: dict[str, PerClass] = {
        "Dice": (0.6, 0.0),
        "NSD 1 mm": (0.7, 0.0),
        "HD95": (4.0, 30.0),
        "volume error": (-1.0, 2.0),
    }
    folder.add(CaseRecord.of_clean("a", values))
    values = {"Dice": (0.8, None), "NSD 1 mm": (0.9, None), "HD95": (2.0, None), "volume error": (0.5, None)}
    folder.add(CaseRecord.of_clean("b", values))
    return folder


def test_a_summary_leaves_absent_classes_out(tmp_path: Path) -> None:
    summary = accuracy_summary(of_test(tmp_path))
    assert summary["classes"]["organ"]["Dice"] == {"mean": pytest.approx(0.7), "interval": None, "num_cases": 2}
    assert summary["classes"]["lesion"]["Dice"] == {"mean": 0.0, "interval": None, "num_cases": 1}
    assert summary["mean"]["Dice"]["mean"] == pytest.approx((0.8 + 0.3) / 2)
    assert summary["mean"]["HD95"]["mean"] == pytest.approx((2 + 17) / 2)
    assert summary["classes"]["organ"]["volume error"]["mean"] == pytest.approx(-0.25)
    empty = accuracy_summary(RecordFolder(tmp_path / "empty", TEST))
    assert empty["classes"]["organ"]["NSD 1 mm"] == {"mean": None, "interval": None, "num_cases": 0}


def test_a_note_says_over_how_many_cases_a_class_is(tmp_path: Path) -> None:
    folder = of_test(tmp_path / "some")
    said = "Means are over the cases that have a value, of 2: lesion 1 (Dice, NSD 1 mm, HD95, volume error)."
    assert said in accuracy_table(folder, "title").notes
    whole = RecordFolder(tmp_path / "whole", TEST)
    whole.add(folder.clean()["a"])
    assert not any("have a value" in note for note in accuracy_table(whole, "title").notes)


def test_csv_holds_the_numbers(tmp_path: Path) -> None:
    folder = of_test(tmp_path)
    rows = list(csv.DictReader(io.StringIO(accuracy_csv(folder))))
    assert rows[0] == {
        "case": "a",
        "class": "organ",
        "Dice": "0.6",
        "NSD 1 mm": "0.7",
        "HD95": "4.0",
        "volume error": "-1.0",
    }
    assert rows[3] == {"case": "b", "class": "lesion", "Dice": "", "NSD 1 mm": "", "HD95": "", "volume error": ""}


def test_a_case_without_a_label_is_no_row(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, TEST)
    folder.add(CaseRecord.of_clean("a", {}, prediction="abc"))
    assert accuracy_csv(folder).count("\n") == 1
    assert accuracy_summary(folder)["classes"]["organ"]["Dice"]["num_cases"] == 0


def test_the_table_of_a_test_names_tolerance_and_units(tmp_path: Path) -> None:
    table = accuracy_table(of_test(tmp_path), "a title")
    assert list(table.headings) == [
        "class",
        "cases",
        "Dice [95%]",
        "NSD 1 mm [95%]",
        "HD95 [mm] [95%]",
        "signed volume error [ml] [95%]",
    ]
    assert list(table.rows[1]) == ["lesion", "1", "0.000 -", "0.000 -", "30.000 -", "2.000 -"]
    (from_report,) = evaluation_tables(of_test(tmp_path / "again"))
    assert from_report.title.startswith("Phantom, accuracy without attack or corruption, protocol raw grid, cases: all")


def test_the_table_of_an_attack(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, of_cases(12))
    for number in range(12):
        folder.add(dice_record(f"case_{number}", CLEAN, (0.8 + number / 100, 0.9)))
        folder.add(dice_record(f"case_{number}", "pgd", (0.3, 0.1), success=number < 3))
    dice, other = evaluation_tables(folder)
    assert list(dice.headings) == [
        "attack",
        "epsilon",
        "cases",
        "mean Dice [95%]",
        "organ",
        "lesion",
        "robust accuracy [95%]",
    ]
    assert dice.rows[0][:3] == ["clean", "-", "12"]
    assert dice.rows[0][3].startswith("0.878 [0.8")
    assert dice.rows[0][6] == "-"
    assert dice.rows[1] == ["pgd", "8/255", "12", "0.200 -", "0.300", "0.100", "0.750 [0.468, 0.911]"]
    assert list(other.headings[3:]) == ["largest move [network units]", "largest move [HU]"]
    assert other.rows[1][3:] == ["0.1569", "0.1569"]


def test_a_partial_shard_is_never_printed_as_whole(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, of_cases(3))
    for number in range(3):
        folder.add(dice_record(f"case_{number}", CLEAN, (0.8, 0.9)))
    folder.add(dice_record("case_0", "pgd", (0.3, 0.1)))
    tables = evaluation_tables(folder)
    assert all(table.rows[1][2] == "1 of 3" for table in tables)
    assert any(note.startswith("INCOMPLETE: pgd at 8/255 is over 1 of 3 cases") for note in tables[-1].notes)


def test_the_table_of_a_corruption_has_severities_and_no_verdicts(tmp_path: Path) -> None:
    identity = dataclasses.replace(
        IDENTITY, condition=Condition("corruption", "rician", {"type": "Rician"}), threat=None, criterion=None
    )
    folder = RecordFolder(tmp_path, identity)
    for case_id in ("a", "b"):
        folder.add(dice_record(case_id, CLEAN, (0.8, 0.9)))
        for severity in (1.0, 2.0):
            folder.add(CaseRecord(case_id, "rician", severity, {"Dice": (0.8, 0.9)}, {"Dice": (0.5, 0.6)}))
    summary, by_corruption, similarity = evaluation_tables(folder)
    assert "Phantom, corruption rician, protocol" in summary.title
    of_many = dataclasses.replace(identity, condition=Condition("corruption", "corruptions", {}))
    assert "Phantom, corruptions, protocol" in evaluation_title(of_many)
    assert [row[0] for row in summary.rows][:3] == ["clean", "severity 1", "severity 2"]
    assert "robust accuracy" not in " ".join(summary.headings)
    assert list(by_corruption.headings) == ["corruption", "severity 1", "severity 2", "weighted"]
    assert by_corruption.rows == [["rician", "0.550", "0.550", "0.550"]]
    assert similarity.rows == [["rician", "- / -", "- / -"]]


def test_the_title_says_when_a_case_falls(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, IDENTITY)
    assert "a case falls by DiceBelow" in evaluation_title(folder.identity)
    folder.settle_mu(0.875)
    assert "mu 0.875 of the evaluated cases (2)" in evaluation_title(folder.identity)
