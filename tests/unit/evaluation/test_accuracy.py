"""Accuracy records, their file and their table, on values known beforehand."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from rogseg.evaluation.accuracy_record import AccuracyRecord, measure_case
from rogseg.evaluation.accuracy_report import AccuracyReport
from rogseg.evaluation.accuracy_table import accuracy_csv, accuracy_summary, accuracy_table

RECORDS = (
    AccuracyRecord("b", (0.8, None), (0.9, None), (2.0, None)),
    AccuracyRecord("a", (0.6, 0.0), (0.7, 0.0), (4.0, 30.0)),
)


def test_a_case_is_measured_per_class() -> None:
    target = np.zeros((8, 8, 8), dtype=np.uint8)
    target[2:6, 2:6, 2:6] = 1
    prediction = target.copy()
    prediction[5, 2:6, 2:6] = 0
    prediction[0, 0, 0] = 2
    record = measure_case("one", prediction, target, 4, (3.0, 1.0, 1.0), 1.0)
    assert record.dice[0] == pytest.approx(2 * 48 / (48 + 64))
    assert record.hd95[0] == pytest.approx(3.0)
    assert record.dice[1:] == (0.0, None)
    assert record.nsd[1:] == (0.0, None)
    assert record.hd95[1] == pytest.approx(8 * math.sqrt(11))
    assert record.hd95[2] is None
    assert AccuracyRecord.from_line(record.to_line()) == record


def test_records_survive_a_torn_line_and_do_not_mix(tmp_path: Path) -> None:
    report = AccuracyReport(tmp_path, {"checkpoint": "abc"})
    for record in RECORDS:
        report.add(record)
    with pytest.raises(ValueError, match="already there"):
        report.add(RECORDS[0])
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write('{"schema": 1, "case_id": "c", "di')
    again = AccuracyReport(tmp_path, {"checkpoint": "abc"})
    assert again.records == (RECORDS[1], RECORDS[0])
    assert not again.has("c")
    again.add(AccuracyRecord("c", (1.0, 1.0), (1.0, 1.0), (0.0, 0.0)))
    assert [record.case_id for record in AccuracyReport(tmp_path, {"checkpoint": "abc"}).records] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="belong to another evaluation"):
        AccuracyReport(tmp_path, {"checkpoint": "xyz"})


def test_a_foreign_line_is_refused() -> None:
    with pytest.raises(ValueError, match="schema version 7"):
        AccuracyRecord.from_line('{"schema": 7}')
    with pytest.raises(ValueError, match="keys"):
        AccuracyRecord.from_line('{"schema": 1, "case_id": "a"}')


def test_summary_leaves_absent_classes_out() -> None:
    summary = accuracy_summary(RECORDS, ["anterior", "posterior"])
    assert summary["anterior"]["dice"]["mean"] == pytest.approx(0.7)
    assert summary["posterior"]["dice"] == {"mean": 0.0, "lower": 0.0, "upper": 0.0, "cases": 1}
    assert summary["mean"]["dice"]["mean"] == pytest.approx((0.8 + 0.3) / 2)
    assert summary["mean"]["hd95"]["mean"] == pytest.approx((2 + 17) / 2)
    assert accuracy_summary((), ["x"])["x"]["nsd"] == {"mean": None, "lower": None, "upper": None, "cases": 0}


def test_csv_and_table_hold_the_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(accuracy_csv(RECORDS, ["anterior", "posterior"]))))
    assert rows[0] == {"case": "b", "class": "anterior", "dice": "0.8", "nsd": "0.9", "hd95": "2.0"}
    assert rows[1] == {"case": "b", "class": "posterior", "dice": "", "nsd": "", "hd95": ""}
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(accuracy_table(RECORDS, ["anterior", "posterior"], "made up"))
    text = console.export_text()
    assert "0.700 [0.600, 0.800]" in text
    assert "9.500 [2.000, 17.000]" in text
