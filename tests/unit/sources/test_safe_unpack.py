import io
import os
import tarfile
from pathlib import Path

import pytest

from rogseg.sources import unpack_task


def pack(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            if isinstance(content, bytes):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                tar.addfile(content)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = target
    return entry


GOOD: dict[str, bytes | tarfile.TarInfo] = {"./T/dataset.json": b"{}", "T/imagesTr/a.nii.gz": b"abc"}


def test_the_task_folder_is_unpacked_without_the_twins_of_macos(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "t.tar",
        GOOD | {"./._T": b"x", "T/._dataset.json": b"x", "T/imagesTs": special("T/imagesTs", tarfile.DIRTYPE)},
    )
    unpack_task(archive, "T", tmp_path / "out" / "T")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert found == {"T", "T/dataset.json", "T/imagesTr", "T/imagesTr/a.nii.gz", "T/imagesTs"}
    assert (tmp_path / "out/T/imagesTr/a.nii.gz").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("name", "member", "message"),
    [
        ("../evil", b"x", "outside the task folder"),
        ("T/../../evil", b"x", "outside the task folder"),
        ("/tmp/evil", b"x", "outside the task folder"),
        ("T\\..\\evil", b"x", "outside the task folder"),
        ("other/evil", b"x", "not the archive of T"),
        ("T/.hidden", b"x", "begins with a dot"),
        ("T/a\nb", b"x", "cannot be printed"),
        ("T/link", special("T/link", tarfile.SYMTYPE, "/etc"), "link or a device"),
        ("T/link", special("T/link", tarfile.LNKTYPE, "../../x"), "link or a device"),
        ("T/pipe", special("T/pipe", tarfile.FIFOTYPE), "link or a device"),
        ("T/device", special("T/device", tarfile.CHRTYPE), "link or a device"),
    ],
)
def test_evil_members_are_refused_and_nothing_stays(
    tmp_path: Path, name: str, member: bytes | tarfile.TarInfo, message: str
) -> None:
    archive = pack(tmp_path / "t.tar", GOOD | {name: member})
    with pytest.raises(ValueError, match=message):
        unpack_task(archive, "T", tmp_path / "out" / "T")
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "t.tar"]


def test_truncated_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = pack(tmp_path / "t.tar", GOOD | {"T/big": b"y" * 50_000})
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(ValueError, match="damaged"):
        unpack_task(archive, "T", tmp_path / "out" / "T")
    assert list((tmp_path / "out").iterdir()) == []


def test_archive_without_an_index_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path / "t.tar", {"T/readme": b"hello"})
    with pytest.raises(ValueError, match=r"holds no T/dataset\.json"):
        unpack_task(archive, "T", tmp_path / "out" / "T")


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_written(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("T/big")
    entry.size = 10**15
    (tmp_path / "t.tar").write_bytes(entry.tobuf())
    with pytest.raises(ValueError, match=r"'T/big' has 1,000,000,000,000,000 bytes, and .* are free"):
        unpack_task(tmp_path / "t.tar", "T", tmp_path / "out" / "T")


def test_a_compressed_archive_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("T/dataset.json"))
    with pytest.raises(ValueError, match="damaged"):
        unpack_task(tmp_path / "t.tar", "T", tmp_path / "out" / "T")
    os.mkfifo(tmp_path / "pipe.tar")
    with pytest.raises(ValueError, match="not a plain file"):
        unpack_task(tmp_path / "pipe.tar", "T", tmp_path / "out" / "T")
