"""A figure is whole or not there."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from rogseg.evaluation.saved_figure import save_figure


def test_what_is_cut_off_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    save_figure(Figure(), path, dpi=20)
    before = path.read_bytes()
    assert before.startswith(b"\x89PNG")

    def cut_off(self: Figure, file: Any, **options: Any) -> None:
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(Figure, "savefig", cut_off)
    with pytest.raises(OSError, match="no space"):
        save_figure(Figure(), path, dpi=20)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
