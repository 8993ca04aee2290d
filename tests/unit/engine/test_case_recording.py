"""One writer, several workers: the lines of one process, in whatever order, and none twice after a kill."""

import json
from pathlib import Path

from benchmarks.phantom_load import PhantomCase, PhantomWorker, evaluate_phantoms
from rogseg.evaluation.case_record import CaseRecord
from rogseg.workers.local_processes import LocalProcesses

OPENER = PhantomWorker(edge=8, growth=2, num_tries=2)


def lines(directory: Path) -> list[str]:
    """As they stand in the file, without what differs from run to run."""
    entries = [json.loads(line) for line in (directory / "records.jsonl").read_text().splitlines()]
    return [json.dumps({key: entry[key] for key in entry if key not in ("seconds", "crc")}) for entry in entries]


def test_several_processes_write_the_lines_of_one_and_go_on_after_a_kill(tmp_path: Path) -> None:
    evaluate_phantoms(tmp_path / "one", 12, OPENER)
    workers: LocalProcesses[PhantomCase, tuple[CaseRecord, ...]] = LocalProcesses(OPENER, 2)
    with workers:
        evaluate_phantoms(tmp_path / "two", 12, OPENER, workers)
        assert sorted(lines(tmp_path / "two")) == sorted(lines(tmp_path / "one"))
        header = (tmp_path / "one/header.json").read_bytes()
        assert (tmp_path / "two/header.json").read_bytes() == header
        # As a kill in the middle of a line leaves it.
        written = (tmp_path / "two/records.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / "two/records.jsonl").write_text("".join(written[:15]) + written[15][:20])
        evaluate_phantoms(tmp_path / "two", 12, OPENER, workers)
    assert sorted(lines(tmp_path / "two")) == sorted(lines(tmp_path / "one"))
    # The largest, the last of every five, are begun first.
    assert {json.loads(line)["case_id"] for line in lines(tmp_path / "two")[:2]} <= {"00004", "00009", "00003"}
