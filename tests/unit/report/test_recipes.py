"""That numbers of other attacks are not taken for numbers of one: in curves, areas and differences of networks."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.identity import Condition, CriterionSetting, EvaluatedSystem, EvaluationIdentity, ThreatSetting
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.contents import Contents
from rogseg.report.curves import curves_of, of_same_strengths
from rogseg.report.estimates import Estimate
from rogseg.report.figures import report_figures
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.records.recipes import recipe_of
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.views.networks import comparisons, differing_attacks, system_figure
from tests.identities import cascade, dice_record, identity_with, of_cases

OTHER = EvaluatedSystem("rogseg", "other", "digest of other", {})


def attack(
    path: Path, dice: Mapping[int, float], num_iterations: int = 5, name: str = "pgd", **changes: Any
) -> RecordFolder:
    """A folder of an attack on two cases: Dice by epsilon in 255ths."""
    config = {"type": "PGD", "num_iterations": num_iterations, **changes.pop("config", {})}
    condition = Condition("attack", name, config)
    folder = RecordFolder(path, of_cases(2, condition=condition, **changes))
    for case_id in folder.identity.cases:
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.9)))
        for numerator, value in dice.items():
            folder.add(dice_record(case_id, name, (value, value), numerator / 255))
    return folder


def curves(made: Contents) -> dict[str, list[float]]:
    rows = made.rows_of("best", ("attack",))
    found = curves_of(made.clean_of(rows[0]), rows, made.primary)
    return {curve.name: [round(255 * point.strength) for point in curve.points] for curve in found}


def test_one_curve_is_of_one_attack_at_all_its_strengths(tmp_path: Path) -> None:
    attack(tmp_path / "weak", {2: 0.8, 8: 0.7})
    for index, strengths in enumerate(((4, 8), (4, 16))):
        attack(tmp_path / f"strong_{index}", dict.fromkeys(strengths, 0.2), num_iterations=100)
        made = contents_of([tmp_path / "weak", tmp_path / f"strong_{index}"], tmp_path)
        assert curves(made) == {"pgd, 5 iterations": [0, 2, 8], "pgd, 100 iterations": [0, *strengths]}


def test_one_attack_whose_strengths_lie_in_two_folders_is_one_curve(tmp_path: Path) -> None:
    attack(tmp_path / "low", {2: 0.8, 4: 0.7}, config={"sweep": [2 / 255, 4 / 255]})
    attack(tmp_path / "high", {8: 0.5})
    made = contents_of([tmp_path / "low", tmp_path / "high"], tmp_path)
    assert curves(made) == {"pgd": [0, 2, 4, 8]}
    attack(tmp_path / "other", {16: 0.1}, config={"momentum": 0.5})
    made = contents_of([tmp_path / "low", tmp_path / "high", tmp_path / "other"], tmp_path)
    assert curves(made) == {
        "pgd, 5 iterations (records 1)": [0, 2, 4, 8],
        "pgd, 5 iterations (records 3)": [0, 16],
    }
    attack(tmp_path / "again", {8: 0.4})
    made = contents_of([tmp_path / "high", tmp_path / "again"], tmp_path)
    assert set(curves(made)) == {"pgd, 5 iterations (records 1)", "pgd, 5 iterations (records 2)"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, str]]:
    """What the figures of a report are given, by the stem of their files, and their axis, instead of the figures."""
    found: dict[str, tuple[Any, str]] = {}

    def plot(data: Any, *others: Any, **options: Any) -> tuple[Path, ...]:
        (stem,) = (other for other in others if isinstance(other, Path))
        found[stem.name] = (data, options.get("x_label", ""))
        return ()

    for name in [name for name in vars(report_figures) if name.startswith("plot_")]:
        monkeypatch.setattr(report_figures, name, plot)
    return found


def test_areas_are_of_the_same_strengths(tmp_path: Path, drawn: dict[str, tuple[Any, str]]) -> None:
    attack(tmp_path / "a", {2: 0.8, 4: 0.7, 8: 0.5})
    attack(tmp_path / "b", {8: 0.6}, name="one")
    attack(tmp_path / "c", {2: 0.8, 4: 0.6, 8: 0.4}, name="apgd")
    report_figures.write_figures(contents_of([tmp_path / name for name in "abc"], tmp_path), tmp_path)
    areas, axis = drawn.pop("attack_area")
    assert [curve.name for curve in areas] == ["pgd", "apgd"]
    assert axis.endswith("\nleft out, at other strengths or of other cases: one")
    report_figures.write_figures(contents_of([tmp_path / name for name in "ac"], tmp_path), tmp_path)
    assert "left out" not in drawn.pop("attack_area")[1]
    report_figures.write_figures(contents_of([tmp_path / name for name in "ab"], tmp_path), tmp_path)
    assert "attack_area" not in drawn
    assert of_same_strengths([]) == ()


def compared(made: Contents) -> dict[str, float | None]:
    return {one.label: one.difference.value for one in comparisons(made)}


def test_networks_under_other_attacks_have_no_difference(tmp_path: Path, drawn: dict[str, tuple[Any, str]]) -> None:
    attack(tmp_path / "a", {4: 0.7, 8: 0.7}, config={"sweep": [4 / 255, 8 / 255]})
    attack(tmp_path / "b", {4: 0.6, 8: 0.3}, config={"sweep": [4 / 255, 8 / 255]}, system=OTHER)
    same = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert compared(same) == pytest.approx({"clean": 0.0, "4/255": -0.1, "8/255": -0.4})
    assert "ttacks differ" not in render_page(same)
    attack(tmp_path / "c", {8: 0.3}, num_iterations=500, system=OTHER)
    made = contents_of([tmp_path / "a", tmp_path / "c"], tmp_path)
    assert compared(made) == {"clean": 0.0, "8/255": None}
    sentence = "Attacks differ: best and other met other attacks, or the same with other settings, at 8/255,"
    assert render_page(made).count(sentence) == 2  # below the curves and above the differences
    assert ">attacks differ<" in render_page(made)
    (table,) = [table for table in report_tables(made) if table.name == "differences"]
    assert sentence in table.to_markdown()
    report_figures.write_figures(made, tmp_path)
    assert [name for name, _ in drawn["differences"][0]] == ["other minus best, clean"]
    assert drawn["dice_over_epsilon"][1].endswith("\nattacks differ between networks")
    figure = system_figure(made)
    assert figure is not None
    assert sentence in figure.caption
    # One more attack on one of the two is another set of attacks.
    attack(tmp_path / "d", {8: 0.1}, name="apgd", system=OTHER)
    more = contents_of([tmp_path / name for name in "abd"], tmp_path)
    assert compared(more) == pytest.approx({"clean": 0.0, "4/255": -0.1, "8/255": None})


def test_a_cascade_that_needs_fewer_members_is_the_same_attack(tmp_path: Path) -> None:
    cascade(tmp_path / "a", {8 / 255: 3}, num_cases=3)
    cascade(tmp_path / "b", {8 / 255: 1}, num_cases=3, digest="other")
    differences = comparisons(contents_of([tmp_path / "a", tmp_path / "b"], tmp_path))
    assert len(differences) == 2
    assert all(isinstance(one.difference, Estimate) and one.difference.value is not None for one in differences)


def test_an_own_attack_whose_code_was_changed_is_another_attack(tmp_path: Path) -> None:
    versions = {"rogseg": "0.1.0", "schema": 2}
    attack(tmp_path / "a", {8: 0.4}, versions={**versions, "own_code": "as written"})
    attack(tmp_path / "b", {8: 0.3}, versions={**versions, "own_code": "as changed"}, system=OTHER)
    made = contents_of([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert [one.difference.value for one in comparisons(made) if one.label != "clean"] == [None]
    assert any("best and other met other attacks" in sentence for sentence in differing_attacks(made))


@pytest.mark.parametrize(
    ("path", "value", "is_other"),
    [
        ("condition.config.num_iterations", 6, True),
        ("condition.config.sweep", [2 / 255, 8 / 255], True),
        ("condition.config.sweep", [8 / 255, 16 / 255], False),  # what comes later changes nothing
        ("criterion.config", {"type": "ClassGrown"}, True),
        ("seed", 1, True),
        ("threat.options", {"random_start": False}, True),
        ("criterion.mu", 0.4, False),
        ("system.digest", "other", False),
        ("data", {"c": "other"}, False),
        ("versions.own_code", "of an own attack", True),
        ("versions.rogseg", "0.2.0", False),
    ],
)
def test_a_recipe_is_all_but_the_network_and_the_cases(path: str, value: Any, is_other: bool) -> None:
    plain = identity_with("task", "Phantom")
    assert (recipe_of(identity_with(path, value), 8 / 255) != recipe_of(plain, 8 / 255)) == is_other


def test_reference_boxes_of_cases_that_are_left_out_make_no_other_attack() -> None:
    def of(widths: Mapping[str, Any], unit: str = "reference") -> EvaluationIdentity:
        return identity_with("threat", ThreatSetting("LinfThreat", unit, widths))

    both = of({"a": [1.0], "b": [2.0]})
    assert recipe_of(of({"a": [1.0], "b": [2.0], "c": [3.0]})) == recipe_of(both)
    assert recipe_of(of({"a": [1.0], "b": [3.0]})) != recipe_of(both)
    assert recipe_of(of({"a": [1.0], "b": [2.0], "moves": "foreground"})) != recipe_of(both)
    assert recipe_of(of({"a": [1.0]}, "fraction")) == recipe_of(of({}, "fraction"))
    assert recipe_of(of({"moves": "foreground"}, "fraction")) != recipe_of(of({}, "fraction"))
    accuracy = dataclasses.replace(both, condition=None, threat=None, criterion=None)
    assert recipe_of(accuracy) == ""
    other = CriterionSetting({"type": "DiceBelow"}, 0.4, "the whole fold", ("a", "b", "c"))
    assert recipe_of(dataclasses.replace(both, criterion=other)) == recipe_of(both)
