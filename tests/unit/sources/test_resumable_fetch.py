import hashlib
from pathlib import Path

import numpy as np
import pytest

from rogseg.sources import fetch
from tests.unit.sources.range_server import serving

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


def get(url: str, path: Path, md5: str = MD5, num_retries: int = 2) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    fetch(url, path, md5, on_bytes=lambda have, total: seen.append((have, total)), num_retries=num_retries, pause=0)
    return seen


def test_whole_file_arrives_and_progress_reaches_the_total(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        seen = get(server.url, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_cut_connection_goes_on_from_the_last_byte(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        server.cuts = [1_000_000, 500_000]
        get(server.url, tmp_path / "a.tar")
        assert server.asked_from == [0, 1_000_000, 1_500_000]
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_killed_process_goes_on_from_the_part_file(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:1234])
    with serving(CONTENT) as server:
        get(server.url, tmp_path / "a.tar")
        assert server.asked_from == [1234]
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_part_that_is_complete_is_only_checked(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT)
    with serving(CONTENT) as server:
        get(server.url, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_part_that_is_longer_than_the_file_is_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(CONTENT + b"more")
    with serving(CONTENT) as server:
        get(server.url, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_server_without_ranges_sends_all_again(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").write_bytes(b"x" * 1000)
    with serving(CONTENT) as server:
        server.knows_ranges = False
        get(server.url, tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_wrong_checksum_deletes_the_part(tmp_path: Path) -> None:
    with serving(CONTENT) as server, pytest.raises(ValueError, match=r"checksum .* deleted; run"):
        get(server.url, tmp_path / "a.tar", md5="0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_connection_that_brings_nothing_ends_and_keeps_the_part(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        server.cuts = [1000, 0, 0, 0, 0, 0]
        with pytest.raises(ConnectionError, match="run the same command again"):
            get(server.url, tmp_path / "a.tar")
        assert server.asked_from == [0, 1000, 1000, 1000]
    assert (tmp_path / "a.tar.part").read_bytes() == CONTENT[:1000]
    assert not (tmp_path / "a.tar").exists()


@pytest.mark.parametrize(("status", "error"), [(404, ValueError), (503, ConnectionError)])
def test_refusals_of_the_server_are_told(tmp_path: Path, status: int, error: type[Exception]) -> None:
    with serving(CONTENT) as server:
        server.status = status
        with pytest.raises(error, match=f"the server answers {status}"):
            get(server.url, tmp_path / "a.tar")


def test_other_protocols_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not an http address"):
        get("file:///etc/passwd", tmp_path / "a.tar")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_no_broken_connection(tmp_path: Path) -> None:
    (tmp_path / "a.tar.part").symlink_to("/dev/full")
    with serving(CONTENT) as server:
        with pytest.raises(OSError, match="No space left on device") as raised:
            get(server.url, tmp_path / "a.tar")
        assert server.asked_from == [0]
    assert raised.value.filename == str(tmp_path / "a.tar.part")
