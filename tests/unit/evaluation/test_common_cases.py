"""Which cases several evaluations have in common: of a cascade those that fell early, too."""

from pathlib import Path

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE
from rogseg.evaluation.common_cases import of_common_cases
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import summarise_all
from tests.identities import dice_record, of_cases, replaced

NUM_CASES = 4


def cascade(directory: Path, num_fallen: int, num_done: int = NUM_CASES, digest: str = "abc") -> RecordFolder:
    """The first cases fall to the first member; the very first had fallen before; one more is half done."""
    folder = RecordFolder(directory, replaced(of_cases(NUM_CASES), ["system", "digest"], digest))
    for number in range(NUM_CASES):
        case_id, falls = f"case_{number}", number < num_fallen
        dice = (0.1, 0.1) if falls else (0.8, 0.7)
        folder.add(dice_record(case_id, CLEAN, dice if number == 0 else (0.9, 0.8)))
        if number > 0:
            folder.add(dice_record(case_id, "APGD-CE", dice, success=falls))
        if number < num_done:
            if not falls:
                folder.add(dice_record(case_id, "Square", dice))
            folder.add(dice_record(case_id, WORST_CASE, dice, success=falls))
    return folder


def test_cases_that_fell_in_a_cascade_are_done(tmp_path: Path) -> None:
    folders = [cascade(tmp_path / "a", num_fallen=3), cascade(tmp_path / "b", num_fallen=2, digest="xyz")]
    for folder, share in zip(of_common_cases(folders), (0.25, 0.5), strict=True):
        worst = summarise_all(folder)[-1]
        assert len(folder.identity.data) == len(worst.records) == NUM_CASES
        assert worst.robust_accuracy == pytest.approx(share)
        assert all(row.num_missing == 0 for row in summarise_all(folder))


def test_a_case_that_a_cascade_is_in_the_middle_of_is_not_done(tmp_path: Path) -> None:
    folders = [cascade(tmp_path / "a", num_fallen=2), cascade(tmp_path / "b", 2, num_done=3, digest="xyz")]
    for folder in of_common_cases(folders):
        assert set(folder.identity.data) == {"case_0", "case_1", "case_2"}


def test_a_strength_that_a_case_was_not_attacked_at_leaves_it_out(tmp_path: Path) -> None:
    one, other = cascade(tmp_path / "a", num_fallen=3), cascade(tmp_path / "b", num_fallen=3, digest="xyz")
    for case_id in ("case_0", "case_2"):
        one.add(dice_record(case_id, WORST_CASE, (0.1, 0.1), 16 / 255, success=True))
    one.add(dice_record("case_2", "APGD-CE", (0.1, 0.1), 16 / 255, success=True))
    for folder in of_common_cases([one, other]):
        assert set(folder.identity.data) == {"case_0", "case_2"}
