import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch._utils import ExceptionWrapper

from rogseg.command_line import exit_status, named_place, nearest
from rogseg.shipped_configs import shipped_configs

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize(
    ("entry", "name", "place"),
    [
        ("{here}/lr=0.1", "", "{here}/lr=0.1"),
        ("standard={here}/lr=0.1", "standard", "{here}/lr=0.1"),
        ("lr=0.1={here}/lr=0.1", "lr=0.1", "{here}/lr=0.1"),
        ("lr=0.1={here}", "lr=0.1", "{here}"),
        ("a={here}/nothing=there", "a", "{here}/nothing=there"),
        ("={here}", "", "{here}"),
        ("standard=", "standard", ""),
        ("a_network", "", "a_network"),
    ],
)
def test_a_name_and_a_place_may_both_hold_equal_signs(tmp_path: Path, entry: str, name: str, place: str) -> None:
    (tmp_path / "lr=0.1").mkdir()
    assert named_place(entry.format(here=tmp_path)) == (name, place.format(here=tmp_path))


def test_of_words_that_are_not_near_ten_are_listed_the_nearest_first() -> None:
    assert nearest("rog_standrad_liver", shipped_configs()) == "did you mean 'rog_standard_liver'?"
    assert nearest("case_1", ["case_001", "case_010", "case_011"]) == "did you mean 'case_001'?"
    assert nearest("x", ["b", "a"]) == "known are a, b"
    known = [f"{letter}{number}" for letter in "ab" for number in range(10)]
    assert nearest("b~~~~", known[10:]) == f"known are {', '.join(known[10:])}"
    assert nearest("b~~~~", known) == f"known are {', '.join(known[10:])}, ... and 10 more"
    assert nearest("b~~~~", known[9:]) == f"known are {', '.join(known[10:])}, ... and 1 more"
    assert nearest("", []) == "known are "
    said = nearest("~", shipped_configs())
    assert said.count(",") == 10
    assert said.endswith(f", ... and {len(shipped_configs()) - 10} more")


def test_who_stops_it_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    assert exit_status("train.py", stopped, "stopped; --resume goes on") == 130
    assert capsys.readouterr().err == "train.py: stopped; --resume goes on\n"


try:
    raise ValueError("image.b2nd: damaged; preprocess again")
except ValueError:
    SENT = ExceptionWrapper(where="in DataLoader worker process 0")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 227. TiB for an array"), "out of memory: Unable to allocate 227. TiB"),
        (MemoryError(), "out of memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "CUDA out of memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "can't allocate memory"),
        (pickle.PicklingError("Can't pickle <function f>"), "cannot be sent to another process"),
        (pickle.UnpicklingError("set weights_only to False"), "more than plain data"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."), "lower train_data.num_workers"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(28, "No space left on device", "out/a"), "out/a: No space left on device; make room there"),
        (OSError(13, "Permission denied", "out/a"), "out/a: Permission denied; name another place"),
        (OSError(18, "Invalid link", "a", None, "b"), "a -> b: Invalid link\n"),
        (ConnectionError("the server has gone"), "train.py: the server has gone\n"),
    ],
)
def test_what_is_no_bug_is_a_sentence(error: Exception, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def job() -> None:
        raise error

    assert exit_status("train.py", job) == 2
    message = capsys.readouterr().err
    assert message.startswith("train.py: ")
    assert said in message
    assert message.count("\n") == 1
    assert "weights_only" not in message


def test_of_an_error_in_a_loading_process_its_last_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("train.py", SENT.reraise) == 2
    assert capsys.readouterr().err == "train.py: image.b2nd: damaged; preprocess again\n"


def test_sigterm_ends_as_an_interruption_does(capsys: pytest.CaptureFixture[str]) -> None:
    def job() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt as error:
            raise ImportError("half of a module") from error  # as a library may that is interrupted in its import

    before = signal.getsignal(signal.SIGTERM)
    assert exit_status("train.py", job, "stopped; --resume goes on") == 130
    assert capsys.readouterr().err == "train.py: stopped; --resume goes on\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_table_is_whole_in_ascii_on_forty_columns() -> None:
    program = (
        "from rich.table import Table\n"
        "from rogseg.command_line import exit_status\n"
        "from rogseg.engine.console import make_console, print_table\n"
        "table = Table('case', 'HD95 [mm]', '95% interval', 'volume error [ml]', title='Pérez [bold]')\n"
        "table.add_row('hippocampus_001', '1.412', '[0.81, 0.93]', '-0.12 ±')\n"
        "def job():\n"
        "    print_table(table)\n"
        "    make_console().print('HD95 [mm] :smile:')\n"
        "raise SystemExit(exit_status('x', job))\n"
    )
    environment = {**os.environ, "COLUMNS": "40", "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    for part in (
        "hippocampus_001",
        "1.412",
        "[0.81, 0.93]",
        "-0.12",
        "HD95 [mm]",
        "volume error [ml]",
        "[bold]",
        ":smile:",
    ):
        assert part in run.stdout, run.stdout


def test_who_reads_half_of_the_output_gets_no_traceback() -> None:
    program = "from rogseg.command_line import exit_status; exit_status('x', lambda: print('line\\n' * 100_000))"
    command = f'{sys.executable} -c "{program}" | head -1'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("line\n", "")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_says_what_it_does(tool: str) -> None:
    path = Path(__file__).parents[2] / "tools" / tool
    help_text = subprocess.run([sys.executable, path, "--help"], check=True, capture_output=True, text=True).stdout
    assert help_text.startswith("usage: ")
