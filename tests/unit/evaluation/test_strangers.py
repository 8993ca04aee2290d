"""Headers and records of different evaluations, in one folder by mistake."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import Condition, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from tests.identities import IDENTITY, dice_record, identity_with

ROOT = Path(__file__).resolve().parents[3]
ENSEMBLE = identity_with("condition", Condition("attack", "autoattack", {"type": "AutoAttack"}))
WITHOUT: dict[str, Any] = {"threat": None, "criterion": None}
TEST = dataclasses.replace(IDENTITY, condition=None, **WITHOUT)
BLURRED = Condition("corruption", "corruptions", {"corruptions": {"Blur": {}}})
BLUR = dataclasses.replace(IDENTITY, condition=BLURRED, **WITHOUT)
PROVED = dataclasses.replace(IDENTITY, condition=Condition("certificate", "smoothing", {}), **WITHOUT)
CLEAN_ONES = [dice_record("a", CLEAN, (0.9, 0.8)), dice_record("b", CLEAN, (0.7, 0.6))]
ATTACKED = [dice_record(case_id, "apgd_ce", (0.2, 0.2)) for case_id in "ab"]
MEMBERS = [dice_record(case_id, name, (0.2, 0.2)) for case_id in "ab" for name in ("DLR", "Square", WORST_CASE)]


def written(directory: Path, identity: EvaluationIdentity, records: list[CaseRecord]) -> RecordFolder:
    folder = RecordFolder(directory, identity)
    for record in records:
        folder.add(record)
    return folder


def test_the_header_of_one_network_beside_the_records_of_another_is_refused(tmp_path: Path) -> None:
    ours = written(tmp_path / "ours", IDENTITY, [*CLEAN_ONES, *ATTACKED])
    ours.settle_mu(0.75)
    assert RecordFolder(ours.directory).mu == 0.75
    other = written(tmp_path / "other", identity_with("system.digest", "other"), [CLEAN_ONES[0]])
    other.add(dice_record("b", CLEAN, (0.7, 0.8)))
    other.settle_mu(0.8)
    shutil.copy(other.directory / "header.json", ours.directory)
    with pytest.raises(ValueError, match=r"records\.jsonl: the mean clean Dice of its records is 0\.75, not 0\.8 as"):
        RecordFolder(ours.directory)


def test_mu_says_nothing_before_all_of_its_cases_are_there(tmp_path: Path) -> None:
    folder = written(tmp_path, identity_with("criterion.mu", 0.75), CLEAN_ONES[:1])  # as a merge that was killed
    assert RecordFolder(folder.directory).mu == 0.75
    folder.add(dice_record("b", CLEAN, (None, None)))  # now the mean is that of the other
    with pytest.raises(ValueError, match=r"is 0\.85, not 0\.75"):
        RecordFolder(folder.directory)


@pytest.mark.parametrize(
    ("identity", "records", "said"),
    [
        (identity_with("seed", 1), ATTACKED, "made with seed 0, not 1"),
        (identity_with("condition.name", "pgd"), ATTACKED, "under 'apgd_ce' are .* says, attack 'pgd'"),
        (ENSEMBLE, ATTACKED, "under 'apgd_ce' are .* says, attack 'autoattack'"),
        (dataclasses.replace(IDENTITY, condition=Condition("transfer", "pgd", {})), ATTACKED, "transfer 'pgd'"),
        (TEST, ATTACKED, "under 'apgd_ce' are .* says, no attack or corruption"),
        (BLUR, ATTACKED, "under 'apgd_ce' are .* says, corruption 'corruptions'"),
        (PROVED, ATTACKED, "under 'apgd_ce' are .* says, certificate 'smoothing'"),
    ],
)
def test_records_that_the_header_cannot_have_are_refused(
    tmp_path: Path, identity: EvaluationIdentity, records: list[CaseRecord], said: str
) -> None:
    written(tmp_path, identity, records)
    with pytest.raises(ValueError, match=rf"{said}.*; put the header\.json back that belongs to it"):
        RecordFolder(tmp_path)


@pytest.mark.parametrize(
    ("identity", "records"),
    [
        (IDENTITY, ATTACKED),
        (ENSEMBLE, MEMBERS),
        (ENSEMBLE, MEMBERS[:1]),  # stopped between the records of its first case
        (ENSEMBLE, [record for record in MEMBERS if record.condition != "Square"]),
        (TEST, CLEAN_ONES),
        (BLUR, [dice_record(case_id, "Blur", (0.2, 0.2), 3.0) for case_id in "ab"]),
    ],
)
def test_records_that_the_header_has_are_read(
    tmp_path: Path, identity: EvaluationIdentity, records: list[CaseRecord]
) -> None:
    written(tmp_path, identity, records)
    assert len(RecordFolder(tmp_path).records) == len(records)


def test_no_record_of_the_repository_is_refused() -> None:
    folders = [path.parent for name in ("docs", "model_zoo") for path in (ROOT / name).rglob("header.json")]
    assert len(folders) > 100
    assert all(RecordFolder(folder).records for folder in folders)
