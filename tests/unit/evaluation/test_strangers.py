"""Headers and records of different evaluations, in one folder by mistake."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.identity import Condition, EvaluationIdentity
from rogseg.evaluation.keys import record_keys
from rogseg.evaluation.record_file import RecordFile
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


@pytest.mark.parametrize(
    ("identity", "other", "records"),
    [
        (TEST, dataclasses.replace(TEST, system=dataclasses.replace(TEST.system, digest="other")), CLEAN_ONES),
        (TEST, dataclasses.replace(TEST, data={case_id: f"other {case_id}" for case_id in TEST.data}), CLEAN_ONES),
        (IDENTITY, identity_with("threat.type", "L2Threat"), ATTACKED),
        (IDENTITY, identity_with("condition.config", {"type": "APGD", "num_restarts": 9}), ATTACKED),
    ],
)
def test_records_of_another_evaluation_that_look_alike_are_refused(
    tmp_path: Path, identity: EvaluationIdentity, other: EvaluationIdentity, records: list[CaseRecord]
) -> None:
    written(tmp_path / "ours", identity, records)
    written(tmp_path / "other", other, records)
    shutil.copy(tmp_path / "other" / "header.json", tmp_path / "ours")
    with pytest.raises(ValueError, match=r"was made of another network, .*; put the header\.json back"):
        RecordFolder(tmp_path / "ours")


def test_records_with_the_key_of_an_earlier_version_go_on(tmp_path: Path) -> None:
    folder = written(tmp_path, IDENTITY, [])
    _, earlier = record_keys(IDENTITY, "a")
    line = dataclasses.replace(CLEAN_ONES[0], made_by=earlier).to_line()
    RecordFile(tmp_path / "records.jsonl").append(line)
    folder = RecordFolder(tmp_path)
    folder.add(CLEAN_ONES[1])
    assert len(RecordFolder(tmp_path).records) == 2
