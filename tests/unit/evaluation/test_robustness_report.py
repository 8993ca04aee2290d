import dataclasses
from pathlib import Path

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.robustness_report import RobustnessReport
from rogseg.evaluation.robustness_summary import area_under_curve, summarise_all, worst_case

IDENTITY = {"model": "abc", "protocol": "volume", "cases": ["a", "b"]}


def record(case_id: str, attack: str, dice: tuple[float | None, ...], *, success: bool | None = False) -> CaseRecord:
    epsilon = 0.0 if attack == CLEAN else 0.03
    return CaseRecord(
        case_id, attack, epsilon, (0.9, 0.8), dice, success, epsilon, (epsilon * 5,), (epsilon * 200,), 3, 2, 1.5, 7
    )


def filled(directory: Path) -> RobustnessReport:
    report = RobustnessReport(directory, IDENTITY)
    report.add(record("a", CLEAN, (0.9, 0.8)))
    report.add(record("b", CLEAN, (0.9, None)))
    report.add(record("a", "APGD-CE", (0.2, 0.6), success=True))
    report.add(record("b", "APGD-CE", (0.7, None)))
    report.add(record("a", "Square", (0.5, 0.5)))
    return report


def test_records_survive_closing_and_a_torn_line(tmp_path: Path) -> None:
    report = filled(tmp_path)
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write('{"schema": 1, "case_id": "b", "att')
    reopened = RobustnessReport(tmp_path, IDENTITY)
    assert reopened.records == report.records
    reopened.add(record("b", "Square", (0.6, None)))
    assert len(RobustnessReport(tmp_path).records) == 6


def test_another_identity_does_not_mix(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(ValueError, match=r"protocol: 'volume' there, 'patch' now.*give another --out"):
        RobustnessReport(tmp_path, {**IDENTITY, "protocol": "patch"})


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    """Both would attack the same cases and record each twice."""
    report = filled(tmp_path)
    other = RobustnessReport(tmp_path, IDENTITY)
    other.add(record("b", "Square", (0.6, None)))
    with pytest.raises(ValueError, match=r"another process writes its records here, too.*--shard"):
        report.add(record("b", "Square", (0.6, None)))
    assert len(RobustnessReport(tmp_path).records) == 6


def test_an_empty_folder_is_not_a_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no header.json here"):
        RobustnessReport(tmp_path)


def test_a_record_is_added_once(tmp_path: Path) -> None:
    report = filled(tmp_path)
    with pytest.raises(ValueError, match="already there"):
        report.add(record("a", "Square", (0.1, 0.1)))


def test_a_record_of_another_schema_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "records.jsonl"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 0'))
    with pytest.raises(ValueError, match="schema version 0"):
        RobustnessReport(tmp_path)


def test_worst_case_takes_the_lowest_mean_and_the_lowest_of_each_class(tmp_path: Path) -> None:
    outcomes = {outcome.case_id: outcome for outcome in worst_case(filled(tmp_path), 0.03)}
    assert outcomes["a"].mean == pytest.approx(0.4)
    assert outcomes["a"].per_class == (0.2, 0.5)
    assert outcomes["a"].success is True
    assert outcomes["b"].mean == pytest.approx(0.7)
    assert outcomes["b"].per_class == (0.7, None)
    assert outcomes["b"].success is False


def test_a_case_that_had_fallen_before_the_cascade_counts(tmp_path: Path) -> None:
    report = RobustnessReport(tmp_path, IDENTITY)
    report.add(record("a", CLEAN, (0.1, 0.1)))
    report.add(record("a", WORST_CASE, (0.1, 0.1), success=True))
    assert report.attacks() == ()
    (outcome,) = worst_case(report, 0.03)
    assert outcome.mean == pytest.approx(0.1)
    assert outcome.success is True


def test_a_case_without_foreground_is_neither_success_nor_failure(tmp_path: Path) -> None:
    report = RobustnessReport(tmp_path, IDENTITY)
    report.add(record("a", CLEAN, (None, None), success=None))
    report.add(record("a", "APGD-CE", (0.0, None), success=None))
    assert worst_case(report, 0.03)[0].success is None
    assert summarise_all(report)[-1].robust == ()


def test_table_rows(tmp_path: Path) -> None:
    rows = {(row.attack, row.epsilon): row for row in summarise_all(filled(tmp_path))}
    assert list(rows) == [(CLEAN, 0.0), ("APGD-CE", 0.03), ("Square", 0.03), (WORST_CASE, 0.03)]
    assert rows[CLEAN, 0.0].mean_dice == pytest.approx((0.85 + 0.9) / 2)
    assert rows["APGD-CE", 0.03].mean_dice == pytest.approx((0.4 + 0.7) / 2)
    assert rows["APGD-CE", 0.03].dice_per_class == pytest.approx((0.45, 0.6))
    assert rows[WORST_CASE, 0.03].robust_accuracy == pytest.approx(0.5)


def test_shards_merge_to_what_one_run_gives(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole")
    for name in ("left", "right"):
        shard = RobustnessReport(tmp_path / name, IDENTITY)
        for entry in whole.records:
            if entry.attack == CLEAN or (entry.case_id == "a") == (name == "left"):
                shard.add(dataclasses.replace(entry, seconds=9.0 if name == "right" else entry.seconds))
    merged = RobustnessReport.merge([tmp_path / "left", tmp_path / "right"], tmp_path / "merged")
    assert [entry.key for entry in merged.records] == [entry.key for entry in whole.records]


def test_shards_that_disagree_do_not_merge(tmp_path: Path) -> None:
    filled(tmp_path / "left")
    right = RobustnessReport(tmp_path / "right", IDENTITY)
    right.add(record("a", "Square", (0.4, 0.4)))
    with pytest.raises(ValueError, match="differs from another shard"):
        RobustnessReport.merge([tmp_path / "left", tmp_path / "right"], tmp_path / "merged")


def test_area_is_the_mean_of_a_straight_line() -> None:
    assert area_under_curve([0.0, 0.01, 0.04], [1.0, 0.75, 0.0]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="ascend"):
        area_under_curve([0.0, 0.0], [1.0, 1.0])
