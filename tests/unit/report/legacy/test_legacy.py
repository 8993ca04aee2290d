import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.identity import CriterionSetting
from rogseg.evaluation.record_file import read_header, write_header
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.estimates import Estimate
from rogseg.report.legacy.rows import FAULTS, LegacyRun, legacy_runs, read_legacy_rows, run_of, variants
from rogseg.report.legacy.table import legacy_table, plot_legacy
from rogseg.report.tables.table import write_table
from tests.identities import dice_record, of_cases

MEMBERS = ("legacy PGD", "legacy APGD-CE", "legacy APGD-DLR (two classes)", "legacy FAB-T", "legacy Square")
EPSILON = 8 / 255


def dice_of(run: LegacyRun, member: str) -> float:
    """Every fault has its own effect: the clamp takes .2, network units give .1, mixing gives .05, few queries .3."""
    base = {"legacy PGD": 0.5, "legacy Square": 0.45}.get(member, 0.6)
    own = {"legacy PGD": 0.05, "legacy Square": 0.3}.get(member, 0.0) if run.own_faults else 0.0
    return base + own - 0.2 * run.clamp + 0.1 * run.units


def add_records(folder: RecordFolder, run: LegacyRun, number: int, members: Sequence[str] = MEMBERS) -> None:
    """Of a case: the further back, the better it stands, and the further its voxels were moved."""
    case_id = f"case_{number}"
    folder.add(dice_record(case_id, CLEAN, (0.9, 0.9)))
    for member in members:
        value = dice_of(run, member) + 0.02 * number
        moved = 0.1 if number < 2 else 0.5
        folder.add(dataclasses.replace(dice_record(case_id, member, (value, value)), distance_fraction=moved))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two cases that every run has finished, of four that there are."""
    identity = dataclasses.replace(of_cases(4), criterion=CriterionSetting({"type": "DiceBelow"}, 0.9, "cases", ()))
    for run in legacy_runs():
        folder = RecordFolder(tmp_path / run.folder, identity)
        for number in range(2):
            add_records(folder, run, number)
    return tmp_path


def test_every_fault_is_alone_in_one_row_and_left_out_of_one() -> None:
    names = [variant.name for variant in variants()]
    assert (names[0], names[-1]) == ("right", "as released")
    assert len(names) == len(set(names)) == 2 + 2 * len(FAULTS)
    sizes = [len(variant.faults) for variant in variants()]
    assert sizes == [0, *[1] * len(FAULTS), *[len(FAULTS) - 1] * len(FAULTS), len(FAULTS)]
    assert {run_of(variant, member) for variant in variants() for member in MEMBERS} <= set(legacy_runs())
    assert len({run.folder for run in legacy_runs()}) == 8


def test_rows_are_put_together_from_the_runs_attack_by_attack(directory: Path) -> None:
    rows = {row.variant.name: row for row in read_legacy_rows(directory)}
    lowest = {name: min(row.dice.values()) for name, row in rows.items()}
    assert lowest["right"] == pytest.approx(0.45)  # Square
    assert lowest[f"only: {FAULTS['clamp']}"] == pytest.approx(0.25)
    assert lowest[f"only: {FAULTS['units']}"] == pytest.approx(0.55)
    assert lowest[f"only: {FAULTS['mixing']}"] == pytest.approx(0.45)
    assert lowest[f"only: {FAULTS['queries']}"] == pytest.approx(0.5)  # now PGD
    assert lowest["as released"] == pytest.approx(0.55 - 0.1)  # PGD with its fault
    assert lowest[f"without: {FAULTS['queries']}"] == pytest.approx(0.35)
    assert lowest[f"without: {FAULTS['mixing']}"] == pytest.approx(0.4)


def test_the_threshold_shrinks_with_the_place_of_the_attack(directory: Path) -> None:
    """Half of .9 for PGD; for Square, the fifth, that times .9 four times: .295."""
    rows = {row.variant.name: row for row in read_legacy_rows(directory)}
    assert list(rows[f"only: {FAULTS['clamp']}"].fell.values()) == [True, True]
    assert list(rows["right"].fell.values()) == [False, False]  # .45 is not below .45
    # By half of .9 Square's .35 would be a success here; by its own threshold it is none.
    assert list(rows[f"without: {FAULTS['queries']}"].fell.values()) == [False, False]


@pytest.mark.parametrize("late", [0, 5])
def test_every_row_is_over_the_cases_that_every_run_has_finished(directory: Path, late: int) -> None:
    """A run without the third case, and with a part of the fourth one's attacks."""
    before = read_legacy_rows(directory)
    for place, run in enumerate(legacy_runs()):
        folder = RecordFolder(directory / run.folder)
        if place != late:
            add_records(folder, run, 2)
        add_records(folder, run, 3, MEMBERS[:3] if place == late else MEMBERS)
    assert read_legacy_rows(directory) == before
    assert all(list(row.dice) == ["case_0", "case_1"] for row in before)
    folder = RecordFolder(directory / legacy_runs()[late].folder)
    add_records(folder, legacy_runs()[late], 2)
    assert all(list(row.dice) == ["case_0", "case_1", "case_2"] for row in read_legacy_rows(directory))


def test_table_and_figure_say_what_each_fault_is_worth(directory: Path, tmp_path: Path) -> None:
    rows = read_legacy_rows(directory)
    table = legacy_table(rows, "title")
    by_name = {str(line[0]): line for line in table.rows}
    released = 0.9 - 0.46  # two cases, .45 and .47
    drop = by_name["as released"][3]
    assert isinstance(drop, Estimate)
    assert drop.value == pytest.approx(released)
    assert by_name["right"][5] is None
    assert by_name[f"only: {FAULTS['clamp']}"][5] == pytest.approx(0.2 / released)
    assert by_name[f"only: {FAULTS['units']}"][5] == pytest.approx(-0.1 / released)
    assert by_name[f"without: {FAULTS['mixing']}"][5] == pytest.approx(-0.05 / released)
    assert by_name["right"][7] == pytest.approx(25.5)
    write_table(table, tmp_path)
    written = list(csv.DictReader((tmp_path / "legacy.csv").read_text().splitlines()))
    assert [line["evaluation"] for line in written] == [row.variant.name for row in rows]
    png, svg = plot_legacy(rows, tmp_path / "legacy")
    assert png.stat().st_size > 10_000
    assert "as released" in svg.read_text()


def test_runs_of_two_evaluations_are_no_comparison(directory: Path) -> None:
    header = directory / "right_sound" / "header.json"
    content, environment = read_header(header)
    write_header(header, {**content, "protocol": "patch"}, environment)
    with pytest.raises(ValueError, match="differ in protocol"):
        read_legacy_rows(directory)
