from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rogseg.models.checkpoints import read_checkpoint, write_checkpoint


def test_what_is_written_is_read_as_tensors_and_plain_data(tmp_path: Path) -> None:
    content = {
        "state_dict": {"a": torch.arange(3.0, requires_grad=True)},
        "numbers": (np.float64(1.5), np.int32(2), 0.1, None, "text", True),
        "array": np.arange(4),
        "by_number": {0: [1, 2]},
    }
    write_checkpoint(tmp_path / "c.pth", content)
    read = read_checkpoint(tmp_path / "c.pth")
    assert torch.equal(read["state_dict"]["a"], torch.arange(3.0))
    assert read["numbers"] == (1.5, 2, 0.1, None, "text", True)
    assert type(read["numbers"][0]) is float
    assert torch.equal(read["array"], torch.arange(4))
    assert read["by_number"] == {0: [1, 2]}
    assert [path.name for path in tmp_path.iterdir()] == ["c.pth"]


def test_what_a_safe_reader_would_refuse_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"checkpoint\.hooks\[1\] is a Linear"):
        write_checkpoint(tmp_path / "c.pth", {"hooks": [1, nn.Linear(1, 1)]})
    assert not list(tmp_path.iterdir())


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('owned').touch()",))


def test_code_in_a_file_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Malicious()}, tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=r"bad\.pth: not a checkpoint"):
        read_checkpoint(tmp_path / "bad.pth")
    assert not (tmp_path / "owned").exists()


def test_truncated_absent_and_other_files_are_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c.pth", {"state_dict": {"a": torch.zeros(1000)}})
    (tmp_path / "cut.pth").write_bytes((tmp_path / "c.pth").read_bytes()[:500])
    torch.save({"other": 1}, tmp_path / "other.pth")
    for name, message in (
        ("cut.pth", "not a checkpoint"),
        ("none.pth", "no such"),
        ("other.pth", "it holds no weights"),
    ):
        with pytest.raises(ValueError, match=f"{name}.*{message}"):
            read_checkpoint(tmp_path / name)
