"""What is kept of sanity checks when an evaluation is concluded again."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from rogseg.engine.reporting import conclude
from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import NOT_LOOKED_AT, SANITY_FILE, Level, SanityFinding, load_findings
from tests.identities import IDENTITY, dice_record


def finding(name: str, level: Level = "ok") -> SanityFinding:
    return SanityFinding(name, level, "seen", "meaning")


def levels(folder: RecordFolder) -> dict[str, str]:
    return {one.name: one.level for one in load_findings(folder.directory / SANITY_FILE, folder.key)}


def evaluated(directory: Path) -> RecordFolder:
    folder = RecordFolder(directory, IDENTITY)
    for case_id in IDENTITY.cases:
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.8)))
        folder.add(dice_record(case_id, "apgd_ce", (0.2, 0.2)))
    return folder


def test_checks_that_are_not_made_again_keep_their_findings(tmp_path: Path) -> None:
    folder = evaluated(tmp_path)
    conclude(folder, [finding("gradients are smooth", "failed"), finding("outputs are logits")])
    conclude(folder)  # as --sanity none
    assert levels(folder) == {"gradients are smooth": "failed", "outputs are logits": "ok"}
    conclude(folder, [finding("gradients are smooth", "warning")])
    assert levels(folder) == {"gradients are smooth": "warning", "outputs are logits": "ok"}


def test_that_nobody_looked_is_forgotten_once_somebody_has(tmp_path: Path) -> None:
    folder = evaluated(tmp_path)
    conclude(folder, [finding(NOT_LOOKED_AT, "warning")])
    conclude(folder)
    assert levels(folder) == {NOT_LOOKED_AT: "warning"}
    conclude(folder, [finding("gradients are smooth")])
    assert levels(folder) == {"gradients are smooth": "ok"}


@pytest.mark.parametrize("change", ["level", "left out", "of another attack"])
def test_findings_that_are_not_what_was_written_beside_the_records_are_refused(tmp_path: Path, change: str) -> None:
    folder = evaluated(tmp_path / "one")
    conclude(folder, [finding("gradients are smooth", "failed"), finding("outputs are logits")])
    path = folder.directory / SANITY_FILE
    if change == "of another attack":
        assert IDENTITY.condition is not None
        condition = dataclasses.replace(IDENTITY.condition, config={**IDENTITY.condition.config, "num_restarts": 7})
        folder = RecordFolder(tmp_path / "two", dataclasses.replace(IDENTITY, condition=condition))
        shutil.copy(path, folder.directory)
        path = folder.directory / SANITY_FILE
    else:
        entries = json.loads(path.read_text())
        entries = [{**entries[0], "level": "ok"}, *entries[1:]] if change == "level" else entries[1:]
        path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match=r"sanity\.json: not what was written there for the records beside it"):
        load_findings(path, folder.key)
    with pytest.raises(ValueError, match=r"sanity\.json: not what was written there for the records beside it"):
        conclude(folder)
