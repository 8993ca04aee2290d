"""What may stand in one row, what is told apart, what is refused; and the paired differences."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.comparison import comparison_tables
from rogseg.evaluation.identity import Condition, EvaluationIdentity
from rogseg.evaluation.notes import leak_note
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice, VolumeError
from tests.identities import cascade, dice_record, of_cases, replaced

NUM_CASES = 12


def evaluated(
    directory: Path, dice: float, changes: dict[str, Any] | None = None, num_done: int = NUM_CASES
) -> RecordFolder:
    identity: EvaluationIdentity = of_cases(NUM_CASES)
    for path, value in (changes or {}).items():
        identity = replaced(identity, path.split("."), value)
    folder = RecordFolder(directory, identity)
    for number in range(NUM_CASES):
        folder.add(dice_record(f"case_{number}", CLEAN, (0.9 - number / 100,)))
        if number < num_done:
            folder.add(dice_record(f"case_{number}", "apgd_ce", (dice - number / 100 - 0.001 * (number % 3),)))
    return folder


def labels(*folders: RecordFolder) -> list[str]:
    return [row[0] for row in comparison_tables({"one": list(folders)})[0].rows]


def test_a_row_per_attack_a_column_per_system_and_their_difference(tmp_path: Path) -> None:
    other = {"system.digest": "xyz"}
    means, paired = comparison_tables(
        {"standard": [evaluated(tmp_path / "s", 0.4)], "robust": [evaluated(tmp_path / "r", 0.8, other)]}
    )
    assert list(means.headings) == ["mean Dice under", "standard", "robust"]
    assert [row[0] for row in means.rows] == ["clean", "apgd_ce, 5 iterations, 8/255"]
    assert means.rows[1][1].startswith("0.344 [0.3")
    assert list(paired.headings) == ["difference under", "robust less standard"]
    assert paired.rows[0][1] == "+0.0000 -, better on 0 of 12"
    assert paired.rows[1][1] == "+0.4000 -, better on 12 of 12"
    assert any("one trained network" in note for note in paired.notes)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("condition.config.num_iterations", 20, "20 iterations"),
        ("condition.config.objective", "SoftDice", "objective SoftDice"),
        ("condition.config.select", "loss", "select loss"),
        ("condition.config.rho", 0.5, "rho 0.5"),
        ("threat.unit", "raw", "HU"),
        ("threat.type", "L2Threat", "L2 RMS"),
        ("criterion.config.type", "ClassVanished", "criterion.config.type ClassVanished"),
        ("criterion.mu_source", "the whole fold", "criterion.mu_source the whole fold"),
        ("criterion.mu_cases", tuple(f"case_{number}" for number in range(40)), '["case_0", "case_1", "case_2",... ('),
        ("seed", 1, "seed 1"),
        ("versions.own_code", "abcdef", "own code abcdef"),
    ],
)
def test_what_was_made_otherwise_is_another_row_that_says_so(tmp_path: Path, path: str, value: Any, said: str) -> None:
    found = labels(evaluated(tmp_path / "a", 0.4), evaluated(tmp_path / "b", 0.4, {path: value}))
    assert len(found) == 3
    assert len(set(found)) == 3
    assert said in found[2]


def test_own_code_that_differs_is_no_difference_of_the_networks(tmp_path: Path) -> None:
    """The clean values do not depend on the code of an attack, and compare."""
    first = {"versions.own_code": "as written"}
    second = {"versions.own_code": "as changed", "system.digest": "xyz"}
    folders = [evaluated(tmp_path / "a", 0.4, first), evaluated(tmp_path / "b", 0.8, second)]
    _, paired = comparison_tables({"one": [folders[0]], "other": [folders[1]]})
    assert [row[1] for row in paired.rows] == ["+0.0000 -, better on 0 of 12", "-", "-"]


def test_that_versions_of_rogseg_differ_is_said(tmp_path: Path) -> None:
    other = {"system.digest": "xyz", "versions.rogseg": "0.2.0"}
    folders = {"one": [evaluated(tmp_path / "a", 0.4)], "other": [evaluated(tmp_path / "b", 0.4, other)]}
    means, _ = comparison_tables(folders)
    assert len(means.rows) == 2
    assert any("several versions of rogseg" in note and "(0.1.0: one; 0.2.0: other)" in note for note in means.notes)
    assert not any("versions" in note for note in comparison_tables({"one": folders["one"]})[0].notes)


def test_the_value_of_mu_is_each_systems_own(tmp_path: Path) -> None:
    left, right = evaluated(tmp_path / "a", 0.4), evaluated(tmp_path / "b", 0.4, {"system.digest": "xyz"})
    left.settle_mu(0.8)
    right.settle_mu(0.9)
    assert len(comparison_tables({"one": [left], "other": [right]})[0].rows) == 2


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("task", "Other"),
        ("classes", ("organ", "tumour")),
        ("protocol", "patch"),
        ("data.case_3", "of a changed file"),
    ],
)
def test_evaluations_of_other_things_do_not_compare(tmp_path: Path, path: str, value: Any) -> None:
    reports = {"a": [evaluated(tmp_path / "a", 0.4)], "b": [evaluated(tmp_path / "b", 0.4, {path: value})]}
    with pytest.raises(ValueError, match=rf"differ in {path.split('.')[0]}.*do not compare"):
        comparison_tables(reports)


def test_a_measure_of_other_options_under_one_name_does_not_compare(tmp_path: Path) -> None:
    other = {"measures": ({**Dice().describe(), "smoothing": 1.0},), "system.digest": "xyz"}
    third = {"measures": ({**Dice().describe(), "smoothing": 2.0},), "system.digest": "xyz"}
    first, second = evaluated(tmp_path / "a", 0.4, other), evaluated(tmp_path / "b", 0.4, third)
    with pytest.raises(ValueError, match=r"differ in smoothing of the measure 'Dice' \(2.0 and 1.0\), so"):
        comparison_tables({"a": [first], "b": [second]})
    older = evaluated(tmp_path / "c", 0.4)  # noted less
    assert comparison_tables({"a": [first], "b": [older]})
    with pytest.raises(ValueError, match=r"differ in smoothing of the measure 'Dice' \(2.0 and 1.0\), so"):
        comparison_tables({"a": [older], "b": [first], "c": [second]})


def test_a_case_that_one_of_them_lacks_is_named(tmp_path: Path) -> None:
    fewer = evaluated(tmp_path / "b", 0.4, {"data": {f"case_{number}": f"digest {number}" for number in range(11)}}, 11)
    with pytest.raises(ValueError, match=r"differ in their cases \(case_11 is in one of them alone; .*--common-cases"):
        comparison_tables({"a": [evaluated(tmp_path / "a", 0.4)], "b": [fewer]})


def test_the_option_that_two_systems_of_one_name_differ_in_is_named(tmp_path: Path) -> None:
    folders = [evaluated(tmp_path / "1", 0.4), evaluated(tmp_path / "2", 0.4, {"system.options.overlap": 0.25})]
    with pytest.raises(ValueError, match=r"differ in system.options.overlap \(0.25 and 0.5\), so"):
        comparison_tables({"one": folders})


def test_two_systems_do_not_share_a_name(tmp_path: Path) -> None:
    for path, value in (("system.digest", "xyz"), ("overlap", 0.75)):
        folders = [evaluated(tmp_path / f"{path}1", 0.4), evaluated(tmp_path / f"{path}2", 0.4, {path: value})]
        with pytest.raises(ValueError, match=f"differ in {path}.*not both 'one'"):
            comparison_tables({"one": folders})


def test_two_values_for_one_row_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has other values for 'apgd_ce, 5 iterations, 8/255' already"):
        comparison_tables({"one": [evaluated(tmp_path / "a", 0.4), evaluated(tmp_path / "b", 0.5)]})


def test_a_partial_shard_is_called_incomplete(tmp_path: Path) -> None:
    means, paired = comparison_tables(
        {
            "standard": [evaluated(tmp_path / "s", 0.4, num_done=7)],
            "robust": [evaluated(tmp_path / "r", 0.8, {"system.digest": "xyz"})],
        }
    )
    assert means.rows[1][1].startswith("INCOMPLETE, 7 of 12 cases: 0.3")
    assert paired.rows[1][1].startswith("INCOMPLETE: +0.4000")
    assert paired.rows[1][1].endswith("better on 7 of 7")


def test_what_a_cascade_spared_is_said_beside_the_mean(tmp_path: Path) -> None:
    folders = {
        name: [cascade(tmp_path / name, {8 / 255: num_fallen}, NUM_CASES, digest=name)]
        for name, num_fallen in (("standard", 9), ("robust", 2))
    }
    means, paired = comparison_tables(folders)
    cells = {row[0].partition(" ")[0]: row[1:] for row in means.rows}
    assert [cell.partition(":")[0] for cell in cells["Square"]] == ["3 of 12 cases", "10 of 12 cases"]
    assert ":" not in "".join([*cells["APGD-CE"], *cells["worst"]])
    assert paired.rows[2][1] == "+0.0000 -, better on 0 of 3"


def test_a_cascade_that_needs_its_first_member_alone_stands_beside_one_that_needs_more(tmp_path: Path) -> None:
    folders = {
        name: [cascade(tmp_path / name, {8 / 255: num_fallen}, NUM_CASES, digest=name)]
        for name, num_fallen in (("weak", NUM_CASES), ("robust", 2))
    }
    means, paired = comparison_tables(folders)
    of = {row[0]: row[1:] for row in means.rows}
    assert list(of) == [
        "clean",
        *(f"{name} of apgd_ce, 8/255" for name in ("APGD-CE", "worst case", "Square")),
    ]
    assert of["worst case of apgd_ce, 8/255"][0] == "0.100 -"
    assert of["Square of apgd_ce, 8/255"][0] == "-"
    assert paired.rows[2][1].endswith("better on 10 of 12")


def test_clean_values_of_a_class_found_where_it_is_not_stand_in_two_rows(tmp_path: Path) -> None:
    raw = {"protocol": "raw grid", "threat": None, "criterion": None}
    folders: dict[str, list[RecordFolder]] = {}
    # Both find the second class in the first case, which lacks it: a test counts that as 0, a transfer not at all.
    surrogate = {"surrogate": {"name": "other"}}
    for condition, absent in (
        (Condition("corruption", "any", surrogate), 0.0),
        (Condition("transfer", "any", surrogate), None),
    ):
        kind = condition.kind
        identity = of_cases(5, condition=condition, **raw)
        folders[kind] = [RecordFolder(tmp_path / kind, replaced(identity, ["system", "digest"], kind))]
        for number, case_id in enumerate(identity.cases):
            folders[kind][0].add(dice_record(case_id, CLEAN, (0.8, 0.8 if number else absent)))
    means, paired = comparison_tables(folders)
    assert [row[0] for row in means.rows] == [
        "clean, absent classes count as 0 where found",
        "clean, absent classes left out",
    ]
    assert [row[1] for row in paired.rows] == ["-", "-"]


def test_worst_cases_of_two_ensembles_are_two_rows(tmp_path: Path) -> None:
    folders = []
    for name, member in (("autoattack", "FAB-T"), ("segmentation_ensemble", "APGD-JS")):
        folder = evaluated(tmp_path / name, 0.4, {"condition.name": name, "condition.config": {"type": name}}, 0)
        for number in range(NUM_CASES):
            for attack in (member, "Square", WORST_CASE):
                folder.add(dice_record(f"case_{number}", attack, (0.2 + len(name) / 1000,)))
        folders.append(folder)
    found = labels(*folders)
    assert "worst case of autoattack, 8/255" in found
    assert "Square of autoattack, 8/255" in found
    assert "worst case of segmentation_ensemble, 8/255" in found


def test_what_is_best_at_zero_is_compared_by_its_size(tmp_path: Path) -> None:
    measures = (Dice().describe(), VolumeError().describe())
    folders = {}
    for name, error in (("one", 1.0), ("other", -3.0)):
        identity = dataclasses.replace(of_cases(NUM_CASES), measures=measures, condition=None)
        folder = RecordFolder(tmp_path / name, identity)
        for number in range(NUM_CASES):
            values = {"Dice": (0.5,), "volume error": (error - number / 100,)}
            folder.add(CaseRecord.of_clean(f"case_{number}", values))
        folders[name] = [folder]
    means, paired = comparison_tables(folders, "volume error")
    assert means.title == "Mean signed volume error [95%]"
    assert means.headings[0] == "mean signed volume error under"
    assert means.rows[0][2].startswith("-3.055 [")
    assert paired.rows[0][1].startswith("+2.1100 [")
    assert paired.rows[0][1].endswith("better on 0 of 12")
    with pytest.raises(ValueError, match=r"no.* measure 'NSD'; they have Dice, volume error"):
        comparison_tables(folders, "NSD")


def test_cases_that_one_network_alone_has_a_value_of_are_counted(tmp_path: Path) -> None:
    folders = {}
    for name, false_finding in (("careful", None), ("careless", 0.0)):
        folder = RecordFolder(tmp_path / name, dataclasses.replace(of_cases(NUM_CASES), condition=None))
        for number in range(NUM_CASES):
            dice = 0.8 if number < 9 else false_finding
            folder.add(CaseRecord.of_clean(f"case_{number}", {"Dice": (dice,)}))
        folders[name] = [folder]
    _, paired = comparison_tables(folders)
    assert paired.rows[0][1] == "+0.0000 -, better on 0 of 9, 3 left out"
    assert any(note.startswith("Left out: ") for note in paired.notes)


def test_too_much_of_one_class_does_not_make_up_for_too_little_of_another(tmp_path: Path) -> None:
    measures = (Dice().describe(), VolumeError().describe())
    folders = {}
    for name, errors in (("far off", (5.0, -5.0)), ("near", (-0.2, -0.2)), ("one class", (-4.0, None))):
        folder = RecordFolder(tmp_path / name, dataclasses.replace(of_cases(NUM_CASES), measures=measures))
        for number in range(NUM_CASES):
            folder.add(CaseRecord.of_clean(f"case_{number}", {"Dice": (0.5, 0.5), "volume error": errors}))
        folders[name] = [folder]
    means, paired = comparison_tables(folders, "volume error")
    assert means.rows[0][1:3] == ["0.000 -", "-0.200 -"]
    assert paired.title == "Paired differences of the size of volume error [95%]"
    near, one_class, _ = paired.rows[0][1:]
    assert near == "-4.8000 -, better on 12 of 12"
    assert one_class == "-1.0000 -, better on 12 of 12"


def test_a_leak_of_one_column_is_said(tmp_path: Path) -> None:
    (means,) = comparison_tables({"one": [evaluated(tmp_path / "a", 0.4, {"leak": "trained on"})]})
    assert means.notes == ("No estimate for new cases: one was trained on these.",)


@pytest.mark.parametrize(
    ("leak", "sentence"),
    [
        ("held out", ""),
        ("not known", "Whether A was trained or selected on these cases is not known."),
        (
            "not known of the network that it started from",
            "Whether A was trained or selected on these cases is not known of the network that it started from.",
        ),
        (
            "trained or selected on 2 of 6 cases",
            "No estimate for new cases: A was trained or selected on 2 of 6 cases.",
        ),
        ("selected on", "No estimate for new cases: A was selected on these."),
    ],
)
def test_what_is_not_known_is_no_leak_and_every_leak_makes_a_sentence(leak: str, sentence: str) -> None:
    assert leak_note(of_cases(6, leak=leak), "A") == sentence
