from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.comparison import comparison_table
from rogseg.evaluation.robustness_report import RobustnessReport

IDENTITY: dict[str, Any] = {
    "task": "Phantom",
    "threat": {"type": "LinfThreat", "unit": "fraction"},
    "protocol": "patch",
    "cases": ["a"],
    "overlap": 0.5,
    "attack": {"type": "APGD", "num_iterations": 5},
}


def report(directory: Path, name: str, dice: float, **identity: Any) -> RobustnessReport:
    written = RobustnessReport(directory, {**IDENTITY, **identity})
    for attack, epsilon, value in ((CLEAN, 0.0, 0.9), (name, 8 / 255, dice)):
        moved = (epsilon,)
        written.add(CaseRecord("a", attack, epsilon, (0.9,), (value,), False, epsilon, moved, moved, 1, 1, 1.0, 0))
    return written


def test_a_row_per_attack_and_a_column_per_network(tmp_path: Path) -> None:
    table = comparison_table(
        {
            "standard": [report(tmp_path / "s", "apgd_ce", 0.1), report(tmp_path / "q", "square", 0.7, attack={})],
            "robust": [report(tmp_path / "r", "apgd_ce", 0.8)],
        }
    )
    assert table.splitlines() == [
        "| mean Dice under | standard | robust |",
        "| --- | --- | --- |",
        "| clean | 0.900 [0.900, 0.900] | 0.900 [0.900, 0.900] |",
        "| apgd_ce, 5 iterations, 8/255 | 0.100 [0.100, 0.100] | 0.800 [0.800, 0.800] |",
        "| square, 8/255 | 0.700 [0.700, 0.700] | - |",
    ]


def test_evaluations_of_other_cases_do_not_compare(tmp_path: Path) -> None:
    reports = {
        "standard": [report(tmp_path / "s", "apgd_ce", 0.1)],
        "robust": [report(tmp_path / "r", "apgd_ce", 0.8, cases=["b"])],
    }
    with pytest.raises(ValueError, match="differ in cases"):
        comparison_table(reports)


def test_worst_cases_of_two_ensembles_are_two_rows(tmp_path: Path) -> None:
    first = report(tmp_path / "a", WORST_CASE, 0.2, attack_name="autoattack", attack={})
    second = report(tmp_path / "b", WORST_CASE, 0.1, attack_name="segmentation_ensemble", attack={})
    for other, name in ((first, "FAB-T"), (second, "APGD-JS")):
        moved = (8 / 255,)
        for member in (name, "Square"):
            other.add(CaseRecord("a", member, 8 / 255, (0.9,), (0.9,), False, 8 / 255, moved, moved, 1, 1, 1.0, 0))
    lines = comparison_table({"standard": [first, second]}).splitlines()
    assert "| worst case of autoattack, 8/255 | 0.200 [0.200, 0.200] |" in lines
    assert "| Square of autoattack, 8/255 | 0.900 [0.900, 0.900] |" in lines
    assert "| worst case of segmentation_ensemble, 8/255 | 0.100 [0.100, 0.100] |" in lines
