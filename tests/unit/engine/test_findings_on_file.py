"""What is kept of sanity checks when an evaluation is concluded again."""

from pathlib import Path

from rogseg.engine.reporting import conclude
from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import NOT_LOOKED_AT, SANITY_FILE, Level, SanityFinding, load_findings
from tests.identities import IDENTITY, dice_record


def finding(name: str, level: Level = "ok") -> SanityFinding:
    return SanityFinding(name, level, "seen", "meaning")


def levels(folder: RecordFolder) -> dict[str, str]:
    return {one.name: one.level for one in load_findings(folder.directory / SANITY_FILE)}


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
