"""What the records of attacks are asked, of the same cases on both sides."""

import dataclasses
from pathlib import Path

import pytest

from rogseg.engine.record_checks import check_records, lowest_white_box_dice
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import SanityFinding
from tests.identities import cascade, dice_record, of_cases, replaced

WEAK, STRONG = 2 / 255, 8 / 255


def more_epsilon(folder: RecordFolder, attack: str) -> SanityFinding | None:
    name = f"{attack}: more epsilon is not weaker"
    return next((finding for finding in check_records(folder) if finding.name == name), None)


def test_a_member_of_a_cascade_is_compared_over_the_cases_that_met_it_at_each_epsilon(tmp_path: Path) -> None:
    folder = cascade(tmp_path, {WEAK: 2, STRONG: 9}, num_cases=12)
    found = more_epsilon(folder, "Square")
    assert found is not None
    assert found.level == "ok"
    # Cases 9 to 11; over all that it met at 2/255 the mean would be lower there.
    assert found.seen == "mean Dice 0.7922 at 2/255, 0.7686 at 8/255, over the 3 cases that met it at each"
    first = more_epsilon(folder, "APGD-CE")
    assert first is not None
    assert first.seen.endswith("at 8/255")


def test_a_weaker_larger_epsilon_still_fails(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, of_cases(2))
    for case_id, few, many in (("case_0", 0.5, 0.6), ("case_1", 0.9, None)):
        folder.add(dice_record(case_id, "PGD", (few, few), WEAK))
        if many is not None:
            folder.add(dice_record(case_id, "PGD", (many, many), STRONG))
    found = more_epsilon(folder, "PGD")
    assert found is not None
    assert (found.level, "over the 1 case" in found.seen) == ("failed", True)


def test_an_attack_that_aims_at_something_else_may_leave_more_dice(tmp_path: Path) -> None:
    identity = replaced(of_cases(1), ["criterion", "config"], {"type": "ClassVanished", "target_class": -1})
    folder = RecordFolder(tmp_path, identity)
    # The lesion is gone at both; the organ is found better at the larger epsilon, where Square was, too.
    for name, left in (("apgd_ce", 0.6), ("Square", 0.5)):
        folder.add(dice_record("case_0", name, (left, 0.0), WEAK, True))
        folder.add(dice_record("case_0", name, (left + 0.2, 0.0), STRONG, True))
    assert check_records(folder) == ()


@pytest.mark.parametrize("name", ["Square", "square_dice", "legacy Square"])
def test_a_black_box_is_known_by_its_passes_and_not_by_its_name(name: str, tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, of_cases(1))
    query = dataclasses.replace(dice_record("case_0", name, (0.2, 0.2), STRONG), num_backward=0)
    folder.add(query)
    assert lowest_white_box_dice(folder, STRONG) == {}
    assert check_records(folder) == ()  # there is nothing to compare it with
    folder.add(dice_record("case_0", "pgd", (0.6, 0.6), STRONG))
    assert lowest_white_box_dice(folder, STRONG) == {"case_0": pytest.approx(0.6)}
    (found,) = check_records(folder)
    assert (found.name, found.level) == (
        "epsilon 8/255: white-box attacks are at least as strong as Square",
        "failed",
    )


@pytest.mark.parametrize("num_fallen", [{WEAK: 0}, {WEAK: 2, STRONG: 4}])
def test_what_no_case_met_twice_is_not_asked(tmp_path: Path, num_fallen: dict[float, int]) -> None:
    assert more_epsilon(cascade(tmp_path, num_fallen, num_cases=4), "Square") is None


@pytest.mark.parametrize(("num_bad", "level"), [(0, None), (1, "warning"), (80, "failed")])
def test_gradients_that_are_not_finite_are_told(tmp_path: Path, num_bad: int, level: str | None) -> None:
    folder = RecordFolder(tmp_path, of_cases(2))
    folder.add(dataclasses.replace(dice_record("case_0", "PGD", (0.9, 0.9), WEAK), num_backward=200))
    made = dice_record("case_1", "PGD", (0.9, 0.9), WEAK)
    folder.add(dataclasses.replace(made, num_backward=200, num_bad_gradients=num_bad))
    found = [finding for finding in check_records(folder) if finding.name == "gradients are finite under attack"]
    assert [finding.level for finding in found] == ([] if level is None else [level])
    assert all(f"{num_bad / 4:.3g} % of the gradients" in one.seen and "in 1 case" in one.seen for one in found)
