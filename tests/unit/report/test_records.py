import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rogseg.engine.reporting import report_on
from rogseg.evaluation.case_record import CLEAN, DICE, TARGET_VOLUME, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import (
    Condition,
    CriterionSetting,
    EvaluatedSystem,
    ThreatSetting,
)
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.robustness_table import robustness_tables
from rogseg.metrics import HD95, Dice, VolumeError
from rogseg.report import ReportPaths
from rogseg.report.contents import Contents
from rogseg.report.estimates import Estimate
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.summaries import estimate_of, fell_by, worst_rows
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.verdict import verdict_of
from rogseg.report.views.cases import case_lines, detail_figures, sized_values
from rogseg.report.views.transfers import transfer_matrices
from tests.identities import IDENTITY, dice_record, of_cases
from tests.shared_data import SHARED
from tests.unit.report.synthetic import saved_volume

ZOO = Path(__file__).resolve().parents[3] / "model_zoo" / "records"
HALF = CriterionSetting(
    {"type": "DiceBelow", "threshold": "half of the mean clean Dice of the cases"}, 0.8, "cases", ()
)


def evaluation(
    directory: Path,
    attack: str = "pgd",
    dice: float = 0.4,
    num_cases: int = 5,
    strength: float = 8 / 255,
    **changes: Any,
) -> RecordFolder:
    """A folder of one attack on cases that all go from .8 to the given Dice; the first falls."""
    identity = of_cases(num_cases, criterion=HALF)
    assert identity.condition is not None
    changes.setdefault("condition", dataclasses.replace(identity.condition, name=attack))
    folder = RecordFolder(directory, dataclasses.replace(identity, **changes), {"command": f"rogseg attack {attack}"})
    for case_id in identity.cases:
        folder.add(_seeded(folder, dice_record(case_id, CLEAN, (0.9, 0.7))))
    for number, case_id in enumerate(identity.cases):
        fell = number == 0
        folder.add(_seeded(folder, dice_record(case_id, attack, (dice + number / 100, dice), strength, success=fell)))
    return folder


def _seeded(folder: RecordFolder, record: CaseRecord) -> CaseRecord:
    return dataclasses.replace(record, seed=folder.identity.seed or 0)


def test_how_visible_the_adversaries_are_stands_in_table_and_page(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "pgd", num_cases=1)
    identity = folder.identity
    seen = RecordFolder(tmp_path / "seen", identity)
    seen.add(dice_record(identity.cases[0], CLEAN, (0.9, 0.7)))
    shown = {"SSIM": 0.98765, "PSNR": 32.14, "noise": 0.02, "change over noise": 1.257}
    attacked = dice_record(identity.cases[0], "pgd", (0.4, 0.4), success=True)
    seen.add(dataclasses.replace(attacked, visibility=shown, stopped=True))
    made = contents_of([tmp_path / "seen"], tmp_path)
    tables = {table.name: table for table in report_tables(made)}
    assert tables["visibility"].headings[-3:] == ("SSIM", "PSNR [dB]", "change over noise")
    (row,) = tables["visibility"].rows
    assert [cell.value for cell in row[-3:] if isinstance(cell, Estimate)] == [0.98765, 32.14, 1.257]
    html = render_page(made)
    assert "How visible the adversaries are" in html
    assert ">0.9877<" in html
    assert ">32.1<" in html
    assert ">1.26<" in html
    others = robustness_tables(seen, "title")[-1]
    assert others.headings[-3:] == ["SSIM", "PSNR [dB]", "change over noise"]
    assert others.rows[1][-3:] == ["0.9877", "32.1", "1.26"]
    assert others.rows[0][-3:] == ["-", "-", "-"]
    assert any("ended the search in 1 of 1 cases" in note for note in others.notes)
    assert "visibility" not in {table.name for table in report_tables(contents_of([tmp_path / "pgd"], tmp_path))}
    assert "How visible" not in render_page(contents_of([tmp_path / "pgd"], tmp_path))


def kinds(contents: Contents) -> list[tuple[str, str, str]]:
    return [(row.system, row.condition.kind, row.condition.name) for row in contents.rows]


def test_one_folder_becomes_rows_that_know_their_lines(tmp_path: Path) -> None:
    evaluation(tmp_path / "pgd")
    made = contents_of([tmp_path / "pgd"], tmp_path / "out")
    assert kinds(made) == [("best", "clean", "clean"), ("best", "attack", "pgd")]
    row = made.rows[1]
    assert (row.condition.label, row.condition.norm) == ("8/255", "Linf")
    assert row.condition.budget == "5 iterations, 2 passes"
    lines = (tmp_path / "pgd" / "records.jsonl").read_text().splitlines()
    for case in row.cases:
        assert case.line is not None
        record = json.loads(lines[case.line - 1])
        assert (record["case_id"], record["condition"]) == (case.case_id, "pgd")
    assert [case.fell for case in row.cases] == [True, False, False, False, False]
    assert estimate_of(row, made.primary).value == pytest.approx(0.41)
    (origin,) = made.origins
    assert origin.command == "rogseg attack pgd"
    assert (tmp_path / "out" / origin.href).resolve() == (tmp_path / "pgd" / "records.jsonl").resolve()
    assert made.criterion == "below half of the mean clean Dice"
    (strength,) = made.threats[0].strengths
    assert (strength.label, strength.fraction, strength.raw) == ("8/255", "3.1%", "0.1569 HU")


def test_attacks_of_several_folders_have_a_worst_case(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", "pgd", 0.4)
    evaluation(tmp_path / "b", "apgd", 0.3)
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert [kind for _, kind, _ in kinds(made)] == ["clean", "attack", "attack", "worst case"]
    assert estimate_of(made.rows[3], made.primary).value == pytest.approx(0.31)
    # Clean values that several folders hold are shown once.
    assert sum(row.condition.kind == "clean" for row in made.rows) == 1


def test_a_case_that_fell_by_one_criterion_did_not_fall_by_another(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", "pgd", 0.4)
    grown = CriterionSetting({"type": "ClassGrown", "target_class": 1}, None, None, ())
    evaluation(tmp_path / "b", "grow", 0.6, criterion=grown)
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    rows = {row.condition.name: row for row in made.rows}
    assert [case.fell for case in rows["worst case"].cases] == [None] * 5
    assert estimate_of(rows["worst case"], made.primary).value == pytest.approx(0.41)
    assert [case.fell for case in rows["grow"].cases] == [True, False, False, False, False]
    verdict = verdict_of(made, "best")
    assert verdict.fell.value is None
    assert "fall" not in verdict.sentence
    page = render_page(made)
    assert "criteria differ, so no case is counted as fallen" in page
    assert any("ask for different things" in limit for limit in made.limits)
    assert "cases that fell" not in page[: page.index('id="checks"')]
    evaluation(tmp_path / "c", "apgd", 0.6)
    same = contents_of([tmp_path / "a", tmp_path / "c"], tmp_path)
    assert verdict_of(same, "best").fell.value == pytest.approx(0.2)
    assert not any("ask for different things" in limit for limit in same.limits)


GROWN = CriterionSetting({"type": "ClassGrown", "target_class": 1}, None, None, ())


@pytest.mark.parametrize(("larger", "count"), [([HALF], 5), ([GROWN], 0), ([HALF, GROWN], 0)])
def test_no_smallest_epsilon_is_told_where_epsilons_have_several_criteria(
    larger: Sequence[CriterionSetting], count: int, tmp_path: Path
) -> None:
    evaluation(tmp_path / "small", "small", strength=4 / 255)
    for number, criterion in enumerate(larger):
        evaluation(tmp_path / f"large_{number}", f"large_{number}", criterion=criterion)
    made = contents_of(sorted(tmp_path.iterdir()), tmp_path)
    worst = worst_rows(made, "best", "Linf")
    points, num_cases = fell_by(worst)
    assert num_cases == count
    assert [share for *_, share in points] == [0.2 if count else 0] * 2
    lines = case_lines(made, None, worst)
    assert [line.fell_at is not None for line in lines] == [bool(count), False, False, False, False]
    assert {line.stands for line in lines[1:]} == {bool(count)}
    assert ("Smallest epsilon that fools" in render_page(made)) == bool(count)


def test_a_recorded_worst_case_counts_and_is_not_shown_twice(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "a", "pgd", 0.4)
    for case_id in folder.identity.cases:
        folder.add(dice_record(case_id, WORST_CASE, (0.2, 0.2), success=True))
    made = contents_of([tmp_path / "a"], tmp_path)
    assert [kind for _, kind, _ in kinds(made)] == ["clean", "attack", "worst case"]
    assert estimate_of(made.rows[2], made.primary).value == pytest.approx(0.2)
    # A cascade may need its first member alone; that row still says whose member it is.
    assert made.rows[1].condition.budget.startswith("of pgd")


def test_one_attack_with_two_budgets_gets_two_names(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", condition=Condition("attack", "pgd", {"type": "PGD", "num_iterations": 5}))
    evaluation(tmp_path / "b", dice=0.3, condition=Condition("attack", "pgd", {"type": "PGD", "num_iterations": 20}))
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert [name for _, kind, name in kinds(made) if kind == "attack"] == ["pgd, 5 iterations", "pgd, 20 iterations"]


def test_one_attack_without_a_budget_under_two_seeds_is_named_by_its_records(tmp_path: Path) -> None:
    for seed in (0, 1):
        evaluation(tmp_path / str(seed), condition=Condition("attack", "pgd", {"type": "FGSM"}), seed=seed)
    made = contents_of([tmp_path / "0", tmp_path / "1"], tmp_path)
    assert [name for _, kind, name in kinds(made) if kind == "attack"] == ["pgd (records 1)", "pgd (records 2)"]


def test_sizes_of_the_targets_are_read_and_are_no_measure(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "a", IDENTITY)
    folder.add(CaseRecord.of_clean("a", {DICE: (0.9, None), TARGET_VOLUME: (12.5, 0.0)}))
    made = contents_of([tmp_path / "a"], tmp_path)
    assert made.case_sizes == {"a": (12.5, 0.0)}
    assert [measure.name for measure in made.measures] == [DICE]


def test_two_networks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    evaluation(tmp_path / "a")
    evaluation(tmp_path / "b", system=EvaluatedSystem("rogseg", "best", "fedcba9876543210", {}))
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert [system.name for system in made.systems] == ["best abc", "best fedcba98"]
    assert made.systems[0].kind == "a checkpoint of rogseg"
    named = contents_of({"first": [tmp_path / "a"], "second": [tmp_path / "b"]}, tmp_path)
    assert [system.name for system in named.systems] == ["first", "second"]


def test_a_test_in_the_raw_grid_stands_alone(tmp_path: Path) -> None:
    evaluation(tmp_path / "a")
    identity = of_cases(5, condition=None, threat=None, criterion=None, protocol="raw grid")
    test = RecordFolder(tmp_path / "test", identity)
    for case_id in identity.cases:
        test.add(dice_record(case_id, CLEAN, (0.5, 0.5)))
    made = contents_of([tmp_path / "test", tmp_path / "a"], tmp_path)
    (accuracy,) = [row for row in made.rows if made.is_accuracy(row)]
    assert accuracy.setting.startswith("whole volumes, in the grid of the files")
    attacked = made.rows_of("best", ("attack",))[0]
    clean = made.clean_of(attacked)
    assert clean is not None
    assert estimate_of(clean, made.primary).value == pytest.approx(0.8)
    assert any("resampling" in limit for limit in made.limits)


def test_corruptions_and_l2_are_kept_apart(tmp_path: Path) -> None:
    evaluation(tmp_path / "linf")
    evaluation(tmp_path / "l2", threat=ThreatSetting("L2Threat", "fraction", {}))
    blur = RecordFolder(
        tmp_path / "blur",
        of_cases(
            5,
            condition=Condition("corruption", "corruptions", {"corruptions": {"blur": {}}}),
            threat=None,
            criterion=None,
        ),
    )
    for case_id in blur.identity.cases:
        blur.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        for severity in (1, 2):
            blur.add(dice_record(case_id, "blur", (0.6, 0.6 - severity / 10), float(severity), None))
    made = contents_of([tmp_path / name for name in ("l2", "linf", "blur")], tmp_path)
    assert [threat.norm for threat in made.threats] == ["Linf", "L2"]
    assert [row.condition.norm for row in made.rows if row.condition.kind == "attack"] == ["Linf", "L2"]
    # What holds for the attacks stands on the page although corruptions are measured otherwise.
    assert made.facts["A case falls"] == "below half of the mean clean Dice"
    assert made.facts["The network had seen"] == "none of the cases: they were held out"
    assert "RMS" in made.threats[1].axis
    assert "Linf" not in made.threats[1].words
    # Clean, a class that a case lacks counts as the attacks count it, and as the corruptions do.
    assert [kind for _, kind, _ in kinds(made)] == ["clean", "clean", "attack", "attack", "corruption", "corruption"]
    assert made.rows[-1].condition.label == "2"
    assert not any("scanners" in text for text in made.untested)


def transferred(directory: Path, source: str, target: str, dice: float, iterations: int = 5) -> RecordFolder:
    """Two cases of the target under volumes that were made on the source, which are named by their digests."""
    made_on = {"kind": "rogseg", "name": source, "digest": f"digest of {source}", "options": {}}
    changes: dict[str, Any] = {
        "system": EvaluatedSystem("rogseg", target, f"digest of {target}", {}),
        "condition": Condition("transfer", "pgd", {"type": "PGD", "num_iterations": iterations, "surrogate": made_on}),
        "protocol": "raw grid",
    }
    folder = RecordFolder(directory / f"{source}_on_{target}", of_cases(2, criterion=HALF, **changes))
    for case_id in folder.identity.cases:
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        folder.add(dice_record(case_id, "pgd", (dice, dice)))
    return folder


def test_transfers_are_a_matrix_with_the_clean_values_above(tmp_path: Path) -> None:
    pairs = {("a", "a"): 0.1, ("a", "b"): 0.6, ("c", "b"): 0.5}
    folders = [transferred(tmp_path, *pair, dice).directory for pair, dice in pairs.items()]
    made = contents_of(folders, tmp_path)
    assert [row.condition.title for row in made.rows_of("b", ("transfer",))] == ["pgd from a", "pgd from c"]
    (matrix,) = transfer_matrices(made)
    assert not matrix.settings_differ
    # c is not attacked itself: it has a row and no column.
    assert (matrix.targets, [name for name, _ in matrix.rows]) == (("a", "b"), ["no attack", "a", "c"])
    found = [None if value is None else round(value, 6) for values in matrix.values for value in values]
    assert found == [0.8, 0.8, 0.1, 0.6, None, 0.5]
    assert [[cell is not None and cell.is_own for cell in cells] for _, cells in matrix.rows] == [
        [False, False],
        [True, False],
        [False, False],
    ]
    table = next(table for table in report_tables(made) if table.name == "transfer")
    assert table.to_csv().splitlines()[2].startswith("pgd,Linf,8/255,a,2,0.1,,,2,0.6,,,2")
    verdict = verdict_of(made, "b")
    assert (verdict.tone, verdict.attacked.value) == ("untested", None)
    assert "goes from 0.80 to 0.50 under the worst of them (pgd from c, 8/255)" in verdict.sentence
    assert made.threats[0].words.startswith("The adversary knows another network and its weights")
    assert "Attacks on the networks themselves." in made.untested
    page = render_page(made)
    assert "Transfer from network to network" in page
    assert "Every attack" not in page
    named = contents_of({"first": folders[:1], "second": folders[1:]}, tmp_path)
    assert [row.condition.surrogate for row in named.rows_of("second", ("transfer",))] == ["first", "c"]


def test_a_matrix_that_is_not_finished_is_over_the_cases_of_every_cell(tmp_path: Path) -> None:
    whole = transferred(tmp_path, "a", "b", 0.6)
    partly = RecordFolder(tmp_path / "c_on_b", transferred(tmp_path / "whole", "c", "b", 0.3).identity)
    first, second = partly.identity.cases
    partly.add(dice_record(first, CLEAN, (0.9, 0.7)))
    partly.add(dice_record(second, CLEAN, (0.3, 0.1)))
    partly.add(dice_record(first, "pgd", (0.3, 0.3)))
    made = contents_of([partly.directory, whole.directory], tmp_path)
    (matrix,) = transfer_matrices(made)
    assert matrix.num_cases == 1
    assert [round(value or 0, 6) for (value,) in matrix.values] == [0.8, 0.6, 0.3]
    assert "<b>pgd, 8/255</b>, one case" in render_page(made)
    assert "on 1 case goes from 0.80 to 0.30" in verdict_of(made, "b").sentence


def test_a_matrix_of_other_settings_says_so(tmp_path: Path) -> None:
    folders = [transferred(tmp_path, "a", "b", 0.6, 5).directory, transferred(tmp_path, "c", "b", 0.5, 50).directory]
    made = contents_of(folders, tmp_path)
    said = "Volumes were made by other settings of the attack for one cell than for another"
    assert said in render_page(made)
    table = next(table for table in report_tables(made) if table.name == "transfer")
    assert any(note.startswith(f"pgd at 8/255: {said}") for note in table.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"task": "Other"}, "task"), ({"classes": ("organ", "x")}, "classes"), ({"protocol": "patch"}, "protocol")],
)
def test_numbers_that_do_not_compare_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    evaluation(tmp_path / "a")
    evaluation(tmp_path / "b", "apgd", **changes)
    with pytest.raises(ValueError, match=f"differ in {message}"):
        contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)


def test_other_cases_are_refused(tmp_path: Path) -> None:
    evaluation(tmp_path / "a")
    evaluation(tmp_path / "b", "apgd", num_cases=4)
    with pytest.raises(ValueError, match="differ in cases"):
        contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)


def test_fractions_of_two_reference_boxes_are_not_one_epsilon(tmp_path: Path) -> None:
    def attacked(name: str, width: float) -> Path:
        boxes = {f"case_{number}": [width] for number in range(5)}
        return evaluation(tmp_path / name, name, threat=ThreatSetting("LinfThreat", "reference", boxes)).directory

    same = [attacked("pgd", 300.0), attacked("apgd", 300.0)]
    assert len(contents_of(same, tmp_path).rows) == 4
    with pytest.raises(
        ValueError, match=r"pgd and .*fgsm differ in the reference box of case_0 \(\[300.0\] and \[200.0"
    ):
        contents_of([*same, attacked("fgsm", 200.0)], tmp_path)


@pytest.mark.parametrize(("mu", "is_one"), [(0.8, True), (0.8001, True), (0.7, False)])
def test_half_of_two_means_is_not_one_criterion(mu: float, is_one: bool, tmp_path: Path) -> None:
    evaluation(tmp_path / "a", num_cases=5)
    evaluation(tmp_path / "b", "apgd", 0.2, num_cases=4, criterion=dataclasses.replace(HALF, mu=mu))
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path, common_cases=True)
    (worst,) = worst_rows(made, "best", "Linf")
    assert [case.fell for case in worst.cases] == ([True, False, False, False] if is_one else [None] * 4)
    assert any("ask for different things" in limit for limit in made.limits) != is_one


def test_a_report_on_the_cases_that_all_have_done_compares_them(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", num_cases=5)
    evaluation(tmp_path / "b", "apgd", 0.2, num_cases=4)
    lines = (tmp_path / "b" / "records.jsonl").read_text().splitlines()
    left_out = json.loads(lines[-1])["case_id"]
    (tmp_path / "b" / "records.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path, common_cases=True)
    assert {len(row.cases) for row in made.rows} == {3}
    assert left_out not in {values.case_id for row in made.rows for values in row.cases}
    assert "3 cases that all evaluations here have done (" in made.facts["Choice of cases"]
    assert not any("INCOMPLETE" in note for origin in made.origins for note in origin.notes)
    (tmp_path / "b" / "records.jsonl").write_text("")
    with pytest.raises(ValueError, match="no case is done in all of these"):
        contents_of([tmp_path / "a", tmp_path / "b"], tmp_path, common_cases=True)


def test_no_folder_and_no_records_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        contents_of([], tmp_path)
    with pytest.raises(ValueError, match=r"no header\.json"):
        contents_of([tmp_path], tmp_path)
    RecordFolder(tmp_path / "begun", IDENTITY)
    with pytest.raises(ValueError, match=r"begun: holds no record yet; run its command again"):
        report_on([str(tmp_path / "begun")], None)
    assert [path.name for path in (tmp_path / "begun").iterdir()] == ["header.json"]


def test_findings_keep_their_levels_and_volumes_their_network(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "a")
    entries = [{"name": level, "level": level, "seen": "s", "meaning": "m"} for level in ("ok", "warning", "failed")]
    (tmp_path / "a" / "sanity.json").write_text(json.dumps(entries))
    saved_volume().save(tmp_path / "a" / "volumes" / "one.npz")
    made = contents_of({"net": [folder.directory]}, tmp_path)
    assert [(finding.name, finding.level) for finding in made.findings] == [(e["name"], e["name"]) for e in entries]
    assert [volume.system for volume in made.volumes] == ["net"]
    (tmp_path / "a" / "sanity.json").write_text('[{"name": "x"}]')
    with pytest.raises(ValueError, match=r"sanity\.json"):
        contents_of([folder.directory], tmp_path)


def test_a_volume_that_was_kept_of_another_network_is_refused(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "a")
    case_id, record = next(iter(folder.clean().items()))
    known = np.array([np.nan if dice is None else dice for dice in record.clean[DICE]])
    kept = dataclasses.replace(saved_volume(case_id), clean_dice=known, attacked_dice=known)
    kept.save(tmp_path / "a" / "volumes" / "one.npz")
    assert len(contents_of([folder.directory], tmp_path).volumes) == 1
    dataclasses.replace(kept, clean_dice=known - 0.01).save(tmp_path / "a" / "volumes" / "one.npz")
    with pytest.raises(ValueError, match=r"one\.npz: was kept of another evaluation than the records beside it"):
        contents_of([folder.directory], tmp_path)


def test_an_unfinished_evaluation_says_so(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "a", IDENTITY)
    for case_id in ("a", "b"):
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.8)))
    folder.add(dice_record("a", "apgd_ce", (0.1, 0.1)))
    made = contents_of([tmp_path / "a"], tmp_path)
    assert any(note.startswith("INCOMPLETE") for note in made.origins[0].notes)


def test_a_line_that_a_kill_tore_is_left_out(tmp_path: Path) -> None:
    records = evaluation(tmp_path / "a").directory / "records.jsonl"
    records.write_bytes(records.read_bytes()[:-40])
    made = contents_of([tmp_path / "a"], tmp_path)
    assert [[case.line for case in row.cases] for row in made.rows] == [[1, 2, 3, 4, 5], [6, 7, 8, 9]]
    assert any(note.startswith("INCOMPLETE") for note in made.origins[0].notes)


def test_records_of_the_zoo_give_the_numbers_of_their_tables() -> None:
    folder = ZOO / "rog_freeat_hippocampus_light" / "apgd_ce_5"
    made = contents_of([folder, folder.parent / "test"], SHARED)
    table = (folder / "table.md").read_text()
    for row in made.rows:
        if not made.is_accuracy(row):
            estimate = estimate_of(row, made.primary)
            line = next(
                line
                for line in table.splitlines()
                if f"| {row.condition.name} |" in line and f"| {row.condition.label or '-'} |" in line
            )
            assert f"{estimate.value:.3f}" in line
    assert made.classes[0].name == "Anterior"
    assert made.title == "Hippocampus"


def test_one_epsilon_that_is_two_changes_in_raw_units_is_told_by_network(tmp_path: Path) -> None:
    evaluation(tmp_path / "narrow")
    wide = RecordFolder(
        tmp_path / "wide", of_cases(5, criterion=HALF, system=EvaluatedSystem("nnunet", "wide", "fed", {}))
    )
    for case_id in wide.identity.cases:
        wide.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        record = dice_record(case_id, "apgd_ce", (0.4, 0.4))
        wide.add(dataclasses.replace(record, distance_raw=(8 / 255 * 10,)))
    folders = [tmp_path / "narrow", tmp_path / "wide"]
    made = contents_of(folders, tmp_path)
    (threat,) = made.threats
    raw = {name: strengths[0].raw for name, strengths in threat.by_network.items()}
    assert raw == {"best": "0.1569 HU", "wide": "0.3137 HU"}
    # The smaller box is not said to be moved as far as the larger one.
    assert "at most 0.1569 HU here" in verdict_of(made, "best").sentence
    assert "at most 0.3137 HU here" in verdict_of(made, "wide").sentence
    html = render_page(made)
    assert html.count(threat.unequal) == 2  # beside the epsilons and beside the differences
    assert "--reference" in threat.unequal  # threat.unit alone is refused
    assert "<td>wide</td><td>3.1%</td>" in html
    epsilons = next(table for table in report_tables(made) if table.name == "epsilons")
    assert [row[2] for row in epsilons.rows] == ["best", "wide"]
    evaluation(tmp_path / "same", system=EvaluatedSystem("nnunet", "same", "fed", {}))
    same = contents_of([tmp_path / "narrow", tmp_path / "same"], tmp_path)
    assert not same.threats[0].by_network
    assert not same.threats[0].unequal


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_network_units_that_are_two_changes_in_raw_units_are_told_by_network(tmp_path: Path, factor: float) -> None:
    for name, raw in (("a", 5.0), ("b", 5.0 * factor)):
        changes: dict[str, Any] = {"system": EvaluatedSystem("nnunet", name, name, {})}
        changes["threat"] = ThreatSetting("LinfThreat", "network", {})
        folder = RecordFolder(tmp_path / name, of_cases(1, **changes))
        folder.add(dice_record("case_0", CLEAN, (0.9, 0.7)))
        record = dice_record("case_0", "apgd_ce", (0.4, 0.4), 0.1)
        # As a share of its range each moves as far: that is not what says how long a unit is.
        folder.add(dataclasses.replace(record, distance_network=(0.1,), distance_raw=(raw,)))
    (threat,) = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path).threats
    raw_moves = {name: strengths[0].raw for name, strengths in threat.by_network.items()}
    assert raw_moves == ({} if factor == 1 else {"a": "5 HU", "b": "20 HU"})
    beginning = "Epsilon is in the units of the intensities that each network sees, and these units differ: "
    assert threat.unequal.startswith(beginning) == (factor != 1)


def test_a_name_for_one_folder_leaves_the_others_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def written(folders: Mapping[str, Sequence[Path]], out: Path, **_: bool) -> ReportPaths:
        names.extend(system.name for system in contents_of(folders, out).systems)
        return ReportPaths(out / "report.html", (), (), None)

    monkeypatch.setattr("rogseg.engine.reporting.write_report", written)
    evaluation(tmp_path / "a")
    evaluation(tmp_path / "b", system=EvaluatedSystem("rogseg", "other", "fed", {}))
    report_on([f"mine={tmp_path / 'a'}", str(tmp_path / "b")], tmp_path / "out")
    assert names == ["mine", "other"]


def test_a_page_of_somebody_else_is_refused_before_shards_are_merged_beside_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        evaluation(tmp_path / name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("mine")
    with pytest.raises(ValueError, match=r"out: holds report\.html, which no report has written"):
        report_on([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_a_shard_that_does_not_know_mu_yet_belongs_to_the_others(tmp_path: Path) -> None:
    identity = of_cases(3)
    assert identity.criterion is not None
    shards = [RecordFolder(tmp_path / str(number), identity) for number in range(3)]
    for number, shard in enumerate(shards):
        for case_id in identity.cases[: 1 if number == 2 else None]:
            shard.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        if number < 2:  # the last one was stopped before it was done with the clean cases
            shard.settle_mu(0.8)
            shard.add(dice_record(f"case_{number}", "apgd_ce", (0.4, 0.4)))
    report_on([str(shard.directory) for shard in shards], tmp_path / "merged")
    merged = RecordFolder(tmp_path / "merged")
    assert merged.identity == shards[0].identity
    assert len(merged.records) == 5
    rows = contents_of([merged.directory], tmp_path).rows
    assert [(row.condition.name, len(row.cases)) for row in rows] == [(CLEAN, 3), ("apgd_ce", 2)]


def test_an_evaluation_that_may_only_be_read_is_reported_on_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = evaluation(tmp_path / "a").directory
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    report_on([str(folder)], tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (tmp_path / "out" / "report.html").is_file()
    assert f"note: {folder} cannot be written to" in capsys.readouterr().out


def test_two_names_for_equal_evaluations_are_two_networks_and_one_is_that_of_the_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []

    def written(folders: Mapping[str, Sequence[Path]], out: Path, **_: Any) -> ReportPaths:
        told.append(list(dict.fromkeys(row.system for row in contents_of(folders, tmp_path).rows)))
        return ReportPaths(out, (), (), None)

    monkeypatch.setattr("rogseg.engine.reporting.write_report", written)
    first, second = (str(evaluation(tmp_path / name).directory) for name in ("a", "b"))
    report_on([f"one={first}", f"other={second}"], tmp_path / "two")
    report_on([first, f"mine={second}"], tmp_path / "merged")
    assert told == [["one", "other"], ["mine"]]


def test_too_few_cases_are_told_of_the_part_that_has_them(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", num_cases=1)
    assert any(limit.startswith("One case is too few") for limit in contents_of([tmp_path / "a"], tmp_path).limits)
    evaluation(tmp_path / "many", num_cases=5)
    condition = Condition("corruption", "corruptions", {"corruptions": {"blur": {}}})
    blur = RecordFolder(tmp_path / "blur", of_cases(4, condition=condition, threat=None, criterion=None))
    for case_id in blur.identity.cases:
        blur.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
    limits = contents_of([tmp_path / "many", tmp_path / "blur"], tmp_path).limits
    # Five cases have an interval, and the page shows it.
    assert any(limit.startswith("4 cases (corruptions) are too few") for limit in limits)
    assert any(limit.startswith("The intervals are over the cases") for limit in limits)


def test_what_a_network_was_trained_on_is_said_beside_the_verdict_where_nobody_knows(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", leak="not known")
    cautions = verdict_of(contents_of([tmp_path / "a"], tmp_path), "best").cautions
    assert "Whether the system was trained or selected on these cases is not known." in cautions
    evaluation(tmp_path / "b")
    assert not any("trained" in text for text in verdict_of(contents_of([tmp_path / "b"], tmp_path), "best").cautions)


def test_phantoms_are_called_synthetic_whatever_their_task_is_called(tmp_path: Path) -> None:
    evaluation(tmp_path / "real", task="Task92_CT")
    assert not contents_of([tmp_path / "real"], tmp_path).is_synthetic
    identity = dataclasses.replace(of_cases(0), task="Task92_CT", data={"phantom_000": "digest"})
    folder = RecordFolder(tmp_path / "made", identity)
    folder.add(dice_record("phantom_000", CLEAN, (0.9, 0.7)))
    assert contents_of([tmp_path / "made"], tmp_path).is_synthetic


def test_parts_that_are_measured_otherwise_say_so_each(tmp_path: Path) -> None:
    evaluation(tmp_path / "patch", protocol="patch")
    condition = Condition("corruption", "corruptions", {"corruptions": {"blur": {}}})
    blur = RecordFolder(
        tmp_path / "blur", of_cases(5, condition=condition, threat=None, criterion=None, protocol="raw grid")
    )
    for case_id in blur.identity.cases:
        blur.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
    made = contents_of([tmp_path / "patch", tmp_path / "blur"], tmp_path)
    assert made.facts["Measured on"] == (
        "attacks: one window around the target, in the network's grid, 5 cases; "
        "corruptions: whole volumes, in the grid of the files, 5 cases"
    )


def test_a_black_box_of_the_checks_is_not_called_untested(tmp_path: Path) -> None:
    evaluation(tmp_path / "a")
    (untested,) = [text for text in contents_of([tmp_path / "a"], tmp_path).untested if "Square" in text]
    assert untested.endswith("do not depend on its gradients.")
    entry = {"name": "white-box attacks are at least as strong as Square", "level": "ok", "seen": "", "meaning": ""}
    (tmp_path / "a" / "sanity.json").write_text(json.dumps([entry]))
    (untested,) = [text for text in contents_of([tmp_path / "a"], tmp_path).untested if "Square" in text]
    assert untested.endswith("beyond the few cases of the sanity check.")


@pytest.mark.parametrize("square", ["Square", "legacy Square"])
def test_members_say_what_was_run_whatever_the_ensemble_is_called(tmp_path: Path, square: str) -> None:
    condition = Condition("attack", "own", {"type": "OwnEnsemble"})
    folder = RecordFolder(tmp_path / "a", of_cases(1, criterion=HALF, condition=condition))
    for name, strength in ((CLEAN, 0.0), ("FGSM", 8 / 255), (square, 8 / 255), (WORST_CASE, 8 / 255)):
        folder.add(dice_record("case_0", name, (0.5, 0.5), strength))
    made = contents_of([tmp_path / "a"], tmp_path)
    assert not any("No ensemble" in text for text in made.limits)
    assert not any("Square" in text for text in made.untested)


def test_a_transfer_in_a_norm_is_no_attack_in_it(tmp_path: Path) -> None:
    evaluation(tmp_path / "attack", threat=ThreatSetting("L2Threat", "fraction", {}))
    made_on = dataclasses.asdict(IDENTITY.system)
    condition = Condition("transfer", "pgd", {"type": "PGD", "surrogate": made_on})
    evaluation(tmp_path / "transfer", condition=condition, protocol="raw grid")
    made = contents_of([tmp_path / "attack", tmp_path / "transfer"], tmp_path)
    assert "Attacks bounded in Linf." in made.untested


def test_sizes_of_classes_are_not_added_up_for_they_may_be_regions_of_one_another(tmp_path: Path) -> None:
    identity = of_cases(2, classes=("whole tumour", "core"), criterion=HALF)
    folder = RecordFolder(tmp_path / "a", identity)
    for case_id, sizes in zip(identity.cases, ({}, {TARGET_VOLUME: (100.0, 40.0)}), strict=True):
        folder.add(CaseRecord.of_clean(case_id, {DICE: (0.9, 0.8), **sizes}))
        folder.add(dice_record(case_id, "apgd_ce", (0.4, 0.4)))
    page = render_page(contents_of([tmp_path / "a"], tmp_path))
    for said in ("whole tumour [ml]", "core [ml]", ">100.00</td>", ">40.00</td>"):
        assert said in page
    assert ">140.00</td>" not in page


def test_dots_of_sizes_are_the_worst_of_each_class_in_the_colour_of_its_class(tmp_path: Path) -> None:
    identity = of_cases(2, criterion=HALF)
    folder = RecordFolder(tmp_path / "a", identity)
    # The first case has no organ, so that its lesion is the first dot.
    found = {"case_0": ((None, 0.5), (None, 0.3), (0.0, 2.0)), "case_1": ((0.1, 0.9), (0.6, 0.2), (10.0, 1.0))}
    for case_id, (first, second, sizes) in found.items():
        folder.add(CaseRecord.of_clean(case_id, {DICE: (0.9, 0.8), TARGET_VOLUME: sizes}))
        folder.add(dice_record(case_id, "fgsm", first))
        folder.add(dice_record(case_id, "pgd", second))
    made = contents_of([tmp_path / "a"], tmp_path)
    (worst,) = worst_rows(made, "best", "Linf")
    assert sized_values(made, worst) == (
        ("case_1", "organ", 10.0, 0.1),
        ("case_0", "lesion", 2.0, 0.3),
        ("case_1", "lesion", 1.0, 0.2),
    )
    *_, figure = detail_figures(made, made.threats[0], [worst], worst)
    colours = dict(figure.legend)
    drawn = re.findall(r'class="dot strong s(\d+)"[^>]*data-tip="case_\d, (\w+)', figure.svg)
    assert {name: int(colour) for colour, name in drawn} == colours


def test_an_adversary_who_may_move_tissue_alone_is_another_one_and_said_to_be(tmp_path: Path) -> None:
    evaluation(tmp_path / "all", dice=0.2)
    evaluation(tmp_path / "tissue", dice=0.6, threat=ThreatSetting("LinfThreat", "fraction", {"moves": "tissue"}))
    both = contents_of([tmp_path / "all", tmp_path / "tissue"], tmp_path)
    assert [threat.norm for threat in both.threats] == ["Linf", "Linf, tissue alone"]
    attacked = [row for row in both.rows if row.condition.kind != "clean"]
    assert [(row.condition.kind, row.condition.norm) for row in attacked] == [
        ("attack", "Linf"),
        ("attack", "Linf, tissue alone"),
    ]
    alone = contents_of([tmp_path / "tissue"], tmp_path)
    for said in (*(threat.words for threat in alone.threats), verdict_of(alone, "best").sentence):
        assert "tissue" in said.lower()
        assert "every voxel of the" not in said
    assert any("Tissue alone could be moved" in note for note in alone.notes())


def test_of_equally_bad_members_the_page_shows_the_one_that_the_table_shows(tmp_path: Path) -> None:
    measures = (Dice().describe(), VolumeError().describe())
    folder = RecordFolder(tmp_path / "a", of_cases(1, criterion=HALF, measures=measures))
    folder.add(dice_record("case_0", CLEAN, (0.9, 0.7)))
    for name, error in (("SoftDice", -5.0), ("DLR", 4.0), (WORST_CASE, 4.0)):
        taken = {DICE: (0.0, 0.0), "volume error": (error, error)}
        folder.add(dataclasses.replace(dice_record("case_0", name, (0.0, 0.0)), measures=taken))
    *_, other = robustness_tables(folder, "")
    assert other.rows[-1][:4] == ["worst case", "8/255", "1", "4.000 -"]
    made = contents_of([tmp_path / "a"], tmp_path)
    (worst,) = worst_rows(made, "best", "Linf")
    assert estimate_of(worst, made.measures[1]).value == 4.0


def test_moves_of_cases_with_ranges_of_their_own_are_told_from_the_least_to_the_most(tmp_path: Path) -> None:
    identity = of_cases(2, criterion=HALF)
    folder = RecordFolder(tmp_path / "a", identity)
    for case_id, scale in zip(identity.cases, (1, 1000), strict=True):
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        record = dice_record(case_id, "apgd_ce", (0.4, 0.4))
        folder.add(dataclasses.replace(record, distance_raw=tuple(scale * move for move in record.distance_raw)))
    (strength,) = contents_of([tmp_path / "a"], tmp_path).threats[0].strengths
    assert strength.raw == "0.1569 to 156.9 HU"


def test_what_a_system_leaves_out_is_said_of_it(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", system=EvaluatedSystem("nnunet", "net", "fed", {"mirrored_axes": [], "folds": [0]}))
    (system,) = contents_of([tmp_path / "a"], tmp_path).systems
    assert (system.details["mirrored_axes"], system.details["folds"]) == ("none", "0")


def test_one_window_is_said_beside_the_verdict(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", protocol="patch")
    cautions = verdict_of(contents_of([tmp_path / "a"], tmp_path), "best").cautions
    assert any(caution.startswith("Measured in one window around the target") for caution in cautions)


def test_measures_are_explained_where_they_are_shown(tmp_path: Path) -> None:
    described = dataclasses.replace(IDENTITY, measures=(*IDENTITY.measures, HD95().describe()))
    folder = RecordFolder(tmp_path / "a", described)
    folder.add(CaseRecord.of_clean("a", {DICE: (0.9, 0.8), "HD95": (1.0, 2.0)}))
    html = render_page(contents_of([tmp_path / "a"], tmp_path))
    assert "<dt>HD95</dt>" in html
    assert "<dt>volume error</dt>" not in html


def test_a_note_of_all_records_is_told_once_and_another_by_its_records(tmp_path: Path) -> None:
    evaluation(tmp_path / "a"), evaluation(tmp_path / "b")
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    first, second = made.origins
    noted = dataclasses.replace(
        made,
        origins=(
            dataclasses.replace(first, notes=("of both", "of one")),
            dataclasses.replace(second, notes=("of both",)),
        ),
    )
    assert noted.notes() == ("of both", "a: of one")
    elsewhere = dataclasses.replace(noted.origins[1], folder=str(tmp_path / "other" / "a"))
    alike = dataclasses.replace(noted, origins=(noted.origins[0], elsewhere))
    assert alike.notes() == ("of both", f"{first.folder}: of one")
