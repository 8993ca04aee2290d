import re
from pathlib import Path

import pytest

from rogseg.estimation.estimate_table import format_seconds
from tests.tiny_task import tiny_plan, write_tiny_task
from tests.tiny_training import ROOT, write_tiny_config
from tools.estimate import main

CONFIG = str(ROOT / "configs/rog/rog_standard_hippocampus_light.py")


def test_the_tool_tells_what_a_config_costs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    options = ["--seconds", "5", "--device", "cpu", "--gpu-memory", "1GB", "--volume", "40x60x40"]
    options += ["--cfg-options", "inference.mirror_axes=[0,2]"]
    assert main([CONFIG, *options]) == 0
    table = capsys.readouterr().out
    rows = dict(re.findall(r"^│ (.*?) *│ *(.*?) │", table, flags=re.MULTILINE))
    assert rows["parameters"] == "2,596,347"
    assert "14 epochs" in table
    assert "8 windows of 32x48x32, each in 4 mirrored copies" in table
    assert rows["GPU: largest batch"] == "at most 4"
    assert re.fullmatch(r"at most \d+|none fits", rows["CPU: largest batch"])
    # Without a GPU no second is told of one.
    assert not [row for row in rows if "GPU" in row and re.search(r"\d (s|min|h)$", rows[row])]
    for label in ("an epoch", "the whole training", "apgd_ce, protocol patch: a case"):
        assert re.fullmatch(r"[\d.,]+ (s|min|h)", rows[label]), label


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gpu-memory", "12XB"], "--gpu-memory '12XB'"),
        (["--volume", "512x512"], "--volume '512x512' has 2 axes"),
        (["--volume", "999999x999999x999999"], "more than any network takes: give a volume on the network's grid"),
        # One voxel wide, but padded to a window.
        (["--volume", "2000000000x1x1"], "padded to at least a window of 32x48x32, more than any network takes"),
        (["--seconds", "0"], "--seconds 0.0 must be above 0"),
        (["--attack", CONFIG], "is the config of a network, not of an attack"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    assert main([CONFIG, *options]) == 2
    assert message in capsys.readouterr().err


def test_an_estimate_says_that_it_is_not_of_the_sizes_of_the_stored_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = write_tiny_task(tmp_path / "task").directory
    own = {**tiny_plan().to_json(), "window_size": [32, 16, 16]}
    config = write_tiny_config(tmp_path, f"task = {own!r}\n")
    assert main([str(config), "--task", str(task), "--seconds", "0.1", "--device", "cpu"]) == 0
    assert "window_size (32, 16, 16) are taken from there" in capsys.readouterr().out


def test_seconds_in_words() -> None:
    assert [format_seconds(value) for value in (0.1234, 119, 120, 7199, 7200, 4_920_000)] == [
        "0.123 s", "119 s", "2.0 min", "120.0 min", "2.0 h", "1,367 h",
    ]  # fmt: skip
