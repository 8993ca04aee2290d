import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest

from rogseg.sources import (
    MSD_ARCHIVES,
    Archive,
    PhantomTask,
    download_archive,
    download_hint,
    download_msd_task,
    write_phantom_task,
)
from rogseg.storage import read_raw_task
from tests.unit.sources.range_server import serving
from tools import download


@pytest.fixture
def packed(tmp_path: Path) -> bytes:
    task = PhantomTask(shape=(24, 24, 24), num_training=2, num_test=1)
    directory = write_phantom_task(tmp_path / "made" / "Task99_Small", task)
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        tar.add(directory, arcname="Task99_Small")
    return memory.getvalue()


def test_archive_becomes_a_task_folder_even_through_a_cut(tmp_path: Path, packed: bytes) -> None:
    with serving(packed) as server:
        server.cuts = [len(packed) // 2]
        archive = Archive("Task99_Small", server.url, hashlib.md5(packed).hexdigest(), len(packed) / 1e9)
        directory = download_archive(archive, tmp_path / "raw")
        assert server.asked_from == [0, len(packed) // 2]
        # A second call finds the task and asks for nothing.
        assert download_archive(archive, tmp_path / "raw") == directory
        assert len(server.asked_from) == 2
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Task99_Small"]
    task = read_raw_task(directory)
    assert [case.case_id for case in task.training] == ["phantom_000", "phantom_001"]
    for case in task.training:
        original = tmp_path / "made" / case.images[0].relative_to(tmp_path / "raw")
        assert case.images[0].read_bytes() == original.read_bytes()


def test_killed_unpacking_is_done_again_without_another_download(tmp_path: Path, packed: bytes) -> None:
    raw = tmp_path / "raw"
    (raw / ".rogseg-partial-Task99_Small-abcdefgh" / "imagesTr").mkdir(parents=True)
    (raw / "Task99_Small.tar").write_bytes(packed)
    directory = download_archive(
        Archive("Task99_Small", "http://127.0.0.1:9/none", hashlib.md5(packed).hexdigest(), 0.001), raw
    )
    assert len(read_raw_task(directory).training) == 2
    assert [path.name for path in raw.iterdir()] == ["Task99_Small"]


def test_an_archive_that_lies_there_is_checked_before_it_is_unpacked(tmp_path: Path, packed: bytes) -> None:
    archive = Archive("Task99_Small", "http://127.0.0.1:9/none", hashlib.md5(packed).hexdigest(), 0.001)
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 1
    (tmp_path / "Task99_Small.tar").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"Task99_Small\.tar: lies there already and has the checksum .*delete it"):
        download_archive(archive, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "made"] == ["Task99_Small.tar"]


def test_wrong_checksum_leaves_no_task(tmp_path: Path, packed: bytes) -> None:
    with serving(packed) as server, pytest.raises(ValueError, match="checksum"):
        download_archive(Archive("Task99_Small", server.url, "0" * 32, 0.001), tmp_path / "raw")
    assert list((tmp_path / "raw").iterdir()) == []


def test_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"GB are free, but T needs about 2000000\.0 GB"):
        download_archive(Archive("T", "http://127.0.0.1:9/none", "0" * 32, 1e6), tmp_path / "raw")


def test_strange_folder_under_the_name_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "T").mkdir()
    (tmp_path / "T" / "mine").write_text("keep")
    with pytest.raises(ValueError, match=r"has no dataset\.json; move it away"):
        download_archive(Archive("T", "http://127.0.0.1:9/none", "0" * 32, 0.1), tmp_path)
    assert (tmp_path / "T" / "mine").read_text() == "keep"


def test_table_holds_the_ten_tasks() -> None:
    assert [name[:6] for name in MSD_ARCHIVES] == [f"Task{number:02d}" for number in range(1, 11)]
    for name, archive in MSD_ARCHIVES.items():
        assert archive.url.endswith(f"/{name}.tar")
        assert re.fullmatch("[0-9a-f]{32}", archive.md5)
    assert MSD_ARCHIVES["Task09_Spleen"].md5 == "410d4a301da4e5b2f6f86ec3ddba524e"


def test_hint_names_the_command_and_the_size() -> None:
    assert "rogseg download msd Task09_Spleen" in download_hint("Task09_Spleen")
    assert "1.6 GB" in download_hint("Task09_Spleen")


def test_misspelt_task_is_answered_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="did you mean Task09_Spleen"):
        download_msd_task("Task9_Spleen", tmp_path)
    assert download.main(["msd", "Task9_Spleen", "--root", str(tmp_path)]) == 2
    assert "did you mean Task09_Spleen" in capsys.readouterr().err


def test_an_archive_that_somebody_has_brought_stays(tmp_path: Path, packed: bytes) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "Task99_Small.tar").write_bytes(packed)
    archive = Archive("Task99_Small", "http://127.0.0.1:9/none", hashlib.md5(packed).hexdigest(), 0.001)
    download_archive(archive, raw)
    assert (raw / "Task99_Small.tar").read_bytes() == packed
