import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from rogseg.preprocessing import Volume, preprocess_task, raw_reading
from tests.unit.preprocessing.raw_files import write_task


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError("Unable to allocate 32 TiB"), r"case_2: .*case_2\.nii\.gz: memory ran out .*32 TiB.*; crop"),
        (OSError(errno.EIO, "Input/output error"), r"case_2: .*Input/output error"),
    ],
)
def test_a_file_that_memory_or_the_disk_cannot_give_is_one_bad_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    raw = write_task(tmp_path / "Mine")
    _break(monkeypatch, error)
    with pytest.raises(ValueError, match=rf"^1 bad case; mend it and run again, the others are kept:\n  {told}"):
        preprocess_task(raw, tmp_path / "out")
    assert {path.stem for path in (tmp_path / "out" / "measurements").iterdir()} == {"case_0", "case_1", "case_3"}


def test_a_full_disk_is_no_case_and_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write_task(tmp_path / "Mine")
    _break(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left on device"):
        preprocess_task(raw, tmp_path / "out")


def _break(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    read = raw_reading.read_image

    def read_or_fail(images: Sequence[Path], num_channels: int) -> Volume:
        if images[0].name == "case_2.nii.gz":
            raise error
        return read(images, num_channels)

    monkeypatch.setattr("rogseg.preprocessing.case_job.read_image", read_or_fail)
