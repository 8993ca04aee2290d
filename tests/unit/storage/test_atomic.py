import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rogseg.storage import (
    atomic_directory,
    create_bytes_atomic,
    remove_leftovers,
    write_bytes_atomic,
    write_json_atomic,
)


def test_bytes_and_json_are_replaced_as_a_whole(tmp_path: Path) -> None:
    write_bytes_atomic(tmp_path / "deep" / "a.bin", b"one")
    write_bytes_atomic(tmp_path / "deep" / "a.bin", b"two")
    assert (tmp_path / "deep" / "a.bin").read_bytes() == b"two"
    write_json_atomic(tmp_path / "a.json", {"spacing": [1.5, 2.0]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"spacing": [1.5, 2.0]}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.bin", "a.json", "deep"]


def test_file_gets_the_mode_that_others_get(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_bytes_atomic(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_nan_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json_atomic(tmp_path / "a.json", float("nan"))
    assert (tmp_path / "a.json").read_text() == "1\n"


def test_failed_replacement_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()  # a file cannot replace a folder
    with pytest.raises(OSError):
        write_bytes_atomic(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_is_created_once_on_whatever_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    create_bytes_atomic(tmp_path / "deep" / "a", b"one")
    with pytest.raises(FileExistsError):
        create_bytes_atomic(tmp_path / "deep" / "a", b"two")
    assert [path.read_bytes() for path in (tmp_path / "deep").iterdir()] == [b"one"]


def test_directory_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with atomic_directory(tmp_path / "case") as partial:
            (partial / text).write_text(text)
            assert not (tmp_path / "case" / text).exists()
    assert [path.name for path in (tmp_path / "case").iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_failure_keeps_the_old_directory_and_nothing_else(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "case") as partial:
        (partial / "old").write_text("")

    def fail() -> None:
        with atomic_directory(tmp_path / "case") as partial:
            (partial / "new").write_text("")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [path.name for path in (tmp_path / "case").iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_killed_writer_leaves_nothing_under_the_name_and_leftovers_can_be_cleared(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from rogseg.storage.atomic import atomic_directory\n"
        "with atomic_directory(Path(sys.argv[1]) / 'case') as partial:\n"
        "    (partial / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert done.returncode == -9
    assert not (tmp_path / "case").exists()
    (tmp_path / "mine").write_text("")
    assert remove_leftovers(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_leftovers_of_one_name_go_without_those_of_another(tmp_path: Path) -> None:
    for name in (".rogseg-partial-a-12345678", ".rogseg-partial-a-b-12345678", ".rogseg-partial-b-12345678"):
        (tmp_path / name).mkdir()
    assert remove_leftovers(tmp_path, "a") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".rogseg-partial-a-b-12345678",
        ".rogseg-partial-b-12345678",
    ]
    assert remove_leftovers(tmp_path) == 2


def test_what_a_killed_writer_left_goes_when_the_same_name_is_written_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f".rogseg-partial-{name}-12345678").write_bytes(b"half")
    (tmp_path / ".rogseg-partial-c-12345678").mkdir()
    write_bytes_atomic(tmp_path / "a", b"whole")
    with atomic_directory(tmp_path / "c"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".rogseg-partial-b-12345678", "a", "c"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_another_process_is_writing_is_no_leftover(tmp_path: Path, kind: str) -> None:
    script = (
        "import sys; from pathlib import Path; from rogseg.storage import atomic\n"
        "path = Path(sys.argv[1])\n"
        "is_folder = sys.argv[2] == 'folder'\n"
        "with atomic.atomic_directory(path) if is_folder else atomic._written_beside(path, b'x', True) as name:\n"
        "    print('writes', flush=True); sys.stdin.readline()\n"
        "    if not is_folder:\n"
        "        atomic.os.replace(name, path)\n"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "out"), kind],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "writes\n"
        assert remove_leftovers(tmp_path) == 0
        other.stdin.write("\n")
        other.stdin.close()
        assert other.wait() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_told_with_the_file_that_found_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes_atomic(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as raised:
        write_bytes_atomic(tmp_path / "a", b"new")
    assert raised.value.filename == str(tmp_path / "a")
    with pytest.raises(OSError, match="No space left on device") as raised, atomic_directory(tmp_path / "b") as partial:
        (partial / "one").write_text("1")
    assert raised.value.filename == str(tmp_path / "b")
    with pytest.raises(OSError, match=r"^no gzip file$"), atomic_directory(tmp_path / "c"):
        raise OSError("no gzip file")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
