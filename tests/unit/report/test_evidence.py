import csv
import hashlib
import io
import json
import re
from pathlib import Path

import pytest

from rogseg.report.checklist import checklist
from rogseg.report.evidence import write_evidence
from rogseg.report.records.contents import contents_of
from tests.unit.report.test_records import evaluation


def pack(tmp_path: Path) -> Path:
    evaluation(tmp_path / "pgd")
    entry = {"name": "a check", "level": "failed", "seen": "s", "meaning": "m"}
    (tmp_path / "pgd" / "sanity.json").write_text(json.dumps([entry]))
    (tmp_path / "pgd" / "table.md").write_text("changed by hand")  # what is made of the records is none of the evidence
    made = contents_of([tmp_path / "pgd"], tmp_path)
    return write_evidence(made, [tmp_path / "pgd"], tmp_path / "evidence")


def test_a_pack_holds_everything_and_every_hash_is_right(tmp_path: Path) -> None:
    out = pack(tmp_path)
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {
        "README.md", "report.html", "checks.csv", "threat_model.md", "limitations.md", "checklist.md", "manifest.json",
        "records/01_pgd/header.json", "records/01_pgd/records.jsonl", "tables/results.csv",
    } <= files  # fmt: skip
    manifest = json.loads((out / "manifest.json").read_text())["sha256"]
    assert set(manifest) == files - {"manifest.json"}
    assert not any("changed by hand" in (out / name).read_text(errors="replace") for name in files)
    for name, digest in manifest.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert (out / "records/01_pgd/records.jsonl").read_bytes() == (tmp_path / "pgd" / "records.jsonl").read_bytes()
    # The page links to its own copy, so that the folder can be moved.
    assert 'href="records/01_pgd/records.jsonl"' in (out / "report.html").read_text()
    (check,) = csv.DictReader(io.StringIO((out / "checks.csv").read_text()))
    assert (check["check"], check["level"]) == ("a check", "failed")
    assert "pgd: 5 iterations" in (out / "threat_model.md").read_text()
    assert "rogseg attack pgd" in (out / "README.md").read_text()


def test_a_pack_is_written_anew_and_nothing_else_is_removed(tmp_path: Path) -> None:
    out = pack(tmp_path)
    made = contents_of([tmp_path / "pgd"], tmp_path)
    (out / "records" / "stale.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds records/stale\.txt, which is not of the pack"):
        write_evidence(made, [tmp_path / "pgd"], out)
    (out / "records" / "stale.txt").unlink()
    write_evidence(made, [tmp_path / "pgd"], out)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="no evidence pack"):
        write_evidence(made, [tmp_path / "pgd"], mine)
    assert (mine / "thesis.tex").exists()


def test_a_pack_that_was_not_written_to_its_end_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = pack(tmp_path)
    made, before = contents_of([tmp_path / "pgd"], tmp_path), (out / "manifest.json").read_bytes()

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rogseg.report.evidence._write_manifest", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_evidence(made, [tmp_path / "pgd"], out)
    assert (out / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "pgd"]
    write_evidence(made, [tmp_path / "pgd"], out)


def test_the_check_list_claims_no_conformity_and_finds_only_what_is_there(tmp_path: Path) -> None:
    out = pack(tmp_path)
    text = (out / "checklist.md").read_text()
    assert "no statement of\nconformity" in text
    assert not re.search(r"\b(complies|compliant|conforms|certified)\b", text)
    points = checklist(contents_of([tmp_path / "pgd"], tmp_path))
    found = {point.asked: point.has_evidence for point in points}
    assert sum(found.values()) == 7
    assert not next(has for asked, has in found.items() if "without intent" in asked)
    for point in points:
        for name in re.findall(r"[\w/]+\.(?:md|csv|html|json)", point.where):
            assert (out / name).exists() or name == "header.json" or name.startswith("/header"), name
