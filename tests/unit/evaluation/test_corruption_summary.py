import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN as UNCORRUPTED
from rogseg.evaluation.case_record import CaseRecord, PerClass
from rogseg.evaluation.corruption_summary import CorruptionValues, relative_error, summarise_corruptions, values_in
from rogseg.evaluation.corruption_table import corruption_tables
from rogseg.evaluation.identity import Condition
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice, FalseVolume
from rogseg.report.records.contents import contents_of
from rogseg.report.views.corruptions import corruption_view
from tests.identities import dice_record, of_cases

CLEAN = {"a": 0.9, "b": 0.8}
VALUES = CorruptionValues(
    CLEAN,
    {
        ("Blur", 1): {"a": 0.9, "b": 0.7},
        ("Blur", 2): {"a": 0.6, "b": 0.4},
        ("Gamma", 1): {"a": 0.8, "b": 0.8},
        ("Gamma", 2): {"a": 0.5, "b": 0.6},
    },
)


def test_the_numbers_of_a_network_are_those_of_a_sum_by_hand() -> None:
    summary = summarise_corruptions(VALUES)
    assert summary.clean.mean == pytest.approx(0.85)
    assert summary.levels[1].mean == pytest.approx((0.9 + 0.7 + 0.8 + 0.8) / 4)
    assert summary.levels[2].mean == pytest.approx((0.6 + 0.4 + 0.5 + 0.6) / 4)
    # Weights 2/3 and 4/9 are 0.6 and 0.4 of their sum.
    blur, gamma = 0.6 * 0.8 + 0.4 * 0.5, 0.6 * 0.8 + 0.4 * 0.55
    assert summary.weighted.mean == pytest.approx((blur + gamma) / 2)
    assert summary.worst.mean == pytest.approx((0.5 + 0.4) / 2)
    assert summary.worst_condition is not None
    assert summary.worst_condition[:2] == ("Blur", 2)
    assert summary.worst_condition[2] == pytest.approx(0.5)
    assert summary.num_corruptions == 2


def test_a_case_that_lacks_a_value_is_in_none_of_the_means() -> None:
    under = {**VALUES.under, ("Gamma", 2): {"a": 0.5}}
    summary = summarise_corruptions(CorruptionValues(CLEAN, under))
    assert summary.clean.num_cases == summary.worst.num_cases == summary.levels[1].num_cases == 1
    assert summary.clean.mean == pytest.approx(0.9)
    nothing = summarise_corruptions(CorruptionValues(CLEAN, {("Gamma", 2): {}}))
    assert nothing.weighted.mean is None
    assert nothing.worst_condition is None


def test_a_severity_is_over_the_corruptions_that_have_all() -> None:
    """Else the easier corruption alone at 2 would make the higher severity look the milder one."""
    under = {key: by_case for key, by_case in VALUES.under.items() if key != ("Blur", 2)}
    summary = summarise_corruptions(CorruptionValues(CLEAN, under))
    assert summary.levels[1].mean == pytest.approx(0.8)
    assert summary.levels[2].mean == pytest.approx(0.55)
    assert summary.weighted.mean == pytest.approx((0.8 + 0.6 * 0.8 + 0.4 * 0.55) / 2)
    assert (summary.num_corruptions, summary.num_at_all, summary.has_all_severities) == (2, 1, False)
    assert summary.severities == {"Blur": (1,), "Gamma": (1, 2)}
    assert summarise_corruptions(VALUES).has_all_severities
    none = summarise_corruptions(CorruptionValues(CLEAN, {("Blur", 1): CLEAN, ("Gamma", 2): CLEAN}))
    assert [level.mean for level in none.levels.values()] == [None, None]


def test_errors_are_a_share_of_the_baseline_where_both_were_corrupted() -> None:
    assert relative_error(VALUES, VALUES) == pytest.approx(1)
    half = {key: {case: 1 - (1 - dice) / 2 for case, dice in by.items()} for key, by in VALUES.under.items()}
    better = CorruptionValues(CLEAN, {**half, ("Motion", 1): {"a": 0.0, "b": 0.0}})
    assert relative_error(better, VALUES) == pytest.approx(0.5)
    assert relative_error(VALUES, better) == pytest.approx(2)
    assert relative_error(VALUES, CorruptionValues(CLEAN, {("Motion", 1): CLEAN})) is None
    # Under one of its corruptions alone: no share can say what the other one gets wrong there.
    name = VALUES.names[0]
    right = {key: dict.fromkeys(by, 1.0) if key[0] == name else by for key, by in VALUES.under.items()}
    assert len(VALUES.names) > 1
    assert relative_error(VALUES, CorruptionValues(CLEAN, right)) is None


def corrupted(directory: Path, dice: float, parameter: float = 2.0, kind: str = "MR", **others: Any) -> RecordFolder:
    """Three cases under Blur at a severity that stands for a parameter, and under Gamma, which is 3 in every folder."""
    levels: Mapping[str, float] = {"Blur": parameter, "Gamma": 3.0}
    config = {
        "modalities": [kind],
        "corruptions": {name: {"severities": {"1": value}} for name, value in levels.items()},
    }
    identity = of_cases(3, condition=Condition("corruption", "corruptions", config), threat=None, criterion=None)
    folder = RecordFolder(directory, dataclasses.replace(identity, **others))
    for case_id in identity.cases:
        folder.add(dice_record(case_id, UNCORRUPTED, (0.9, 0.9)))
        for name in levels:
            folder.add(dice_record(case_id, name, (dice, dice), 1, success=None))
    return folder


def test_an_error_is_relative_to_that_of_the_same_cases_made_in_the_same_way(tmp_path: Path) -> None:
    first = corrupted(tmp_path / "first", 0.6)

    def relative(name: str, **others: Any) -> tuple[float | None, str]:
        folder = corrupted(tmp_path / name, 0.8, **others)
        note = corruption_tables(folder, "", first)[0].notes[-1]
        return relative_error(values_in(folder), values_in(first)), note

    assert relative("same")[0] == pytest.approx(0.5)
    made: dict[str, dict[str, Any]] = {
        "draws": {"seed": 5}, "signal": {"kind": "CT"}, "classes": {"classes": ("a", "b")},
    }  # fmt: skip
    for name, others in made.items():
        ratio, note = relative(name, **others)
        assert ratio is None
        assert note.startswith("No error relative to ")
    # A severity that was calibrated stands for another parameter.
    calibrated = values_in(corrupted(tmp_path / "calibrated", 0.8, parameter=9.0))
    lower = {**calibrated.under, ("Blur", 1.0): dict.fromkeys(calibrated.clean, 0.0)}
    assert relative_error(dataclasses.replace(calibrated, under=lower), values_in(first)) == pytest.approx(0.5)
    # Cases of other files that have the same names.
    mended = {**first.identity.data, "case_1": "other files"}
    values = values_in(corrupted(tmp_path / "files", 0.8, data=mended))
    assert relative_error(values, values_in(first)) == pytest.approx(0.5)
    lower = {key: {**by_case, "case_1": 0.0} for key, by_case in values.under.items()}
    assert relative_error(dataclasses.replace(values, under=lower), values_in(first)) == pytest.approx(0.5)


def test_every_number_is_over_the_cases_that_have_all_values_and_false_finds_are_told(tmp_path: Path) -> None:
    """Two cases lack the lesion; Blur lets it be found in one of them, whose Dice is 0 then and nothing otherwise."""
    config = {"modalities": ["MR"], "corruptions": {"Blur": {"severities": {"1": 2.0, "2": 3.0}}}}
    condition = Condition("corruption", "corruptions", config)
    measures = (Dice().describe(), FalseVolume().describe())
    identity = of_cases(4, condition=condition, threat=None, criterion=None, classes=("lesion",), measures=measures)
    folder = RecordFolder(tmp_path, identity)
    for number, case_id in enumerate(identity.cases):
        has = number < 2
        nothing: dict[str, PerClass] = {"Dice": (None,), "false volume": (0.0,)}
        clean: dict[str, PerClass] = {"Dice": (0.8,), "false volume": (None,)} if has else nothing
        folder.add(CaseRecord.of_clean(case_id, clean))
        for severity in (1.0, 2.0):
            under = clean if has or (number, severity) != (3, 2.0) else {"Dice": (0.0,), "false volume": (0.5,)}
            folder.add(CaseRecord(case_id, "Blur", severity, clean, under))
    summary, by_corruption, similarities = corruption_tables(folder, "")
    assert [row[1:] for row in summary.rows] == [["2", "0.800 -"]] * 5
    assert by_corruption.rows == [["Blur", "0.800", "0.800", "0.800"]]
    said = "lesion is absent from 2 targets and predicted in 1 of them, from 0.5 to 0.5 ml; its Dice counts as 0 there."
    assert f"Most often Blur at 2: {said}" in similarities.notes
    view = corruption_view(contents_of([tmp_path], tmp_path / "out"))
    assert view is not None
    assert [cell.value for _, cells in view.map_rows for cell in cells] == pytest.approx([0.8, 0.8])
