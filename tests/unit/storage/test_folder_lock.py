import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from rogseg.storage import folder_lock
from rogseg.storage.folder_lock import LOCK_FILE

ROOT = Path(__file__).resolve().parents[3]


def test_a_second_run_is_told_who_holds_the_folder_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom rogseg.storage import folder_lock\n"
        "with folder_lock(sys.argv[1], 'preprocessing'):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=rf"in use by process {other.pid} on .*\(preprocessing\); wait"):
            _hold(tmp_path, "mine")
        other.kill()
        other.wait()
    _hold(tmp_path, "mine")
    assert list(tmp_path.iterdir()) == []


def test_one_process_does_not_hold_a_folder_twice(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "new", "one"):
        with pytest.raises(ValueError, match=r"in use by process \d+ on .*\(one\)"):
            _hold(tmp_path / "new", "two")
        with folder_lock(tmp_path / "new", "beside", ".another-lock"):
            pass
    _hold(tmp_path / "new", "three")


def test_a_lock_file_that_its_last_holder_removed_is_not_taken_for_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    calls: list[int] = []

    def too_late(handle: int, operation: int) -> None:
        if not calls:  # between our opening the file and our locking it, its holder ended and removed it
            (tmp_path / LOCK_FILE).unlink()
        calls.append(handle)
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", too_late)
    with folder_lock(tmp_path, "mine"):
        assert len(calls) == 2
        assert "(mine)" in (tmp_path / LOCK_FILE).read_text()


def _hold(directory: Path, purpose: str) -> None:
    with folder_lock(directory, purpose):
        pass
