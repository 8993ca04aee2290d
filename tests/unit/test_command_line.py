import subprocess
import sys
from pathlib import Path

import pytest

from rogseg.command_line import exit_status

TOOLS = sorted(path.name for path in (Path(__file__).parents[2] / "tools").glob("*.py") if path.name != "__init__.py")


def test_a_mistake_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    def mistake() -> None:
        raise ValueError("case_01: spacing is 0; mend the header")

    assert exit_status("train.py", mistake) == 2
    assert capsys.readouterr().err == "train.py: case_01: spacing is 0; mend the header\n"


def test_a_missing_file_is_a_mistake_and_a_bug_is_not(tmp_path: Path) -> None:
    assert exit_status("test.py", lambda: (tmp_path / "missing").read_text()) == 2
    with pytest.raises(ZeroDivisionError):
        exit_status("test.py", lambda: 1 / 0)
    assert exit_status("test.py", lambda: None) == 0


def test_who_stops_it_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    assert exit_status("train.py", stopped, "stopped; --resume goes on") == 130
    assert capsys.readouterr().err == "train.py: stopped; --resume goes on\n"


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_says_what_it_does(tool: str) -> None:
    path = Path(__file__).parents[2] / "tools" / tool
    help_text = subprocess.run([sys.executable, path, "--help"], check=True, capture_output=True, text=True).stdout
    assert help_text.startswith("usage: ")
