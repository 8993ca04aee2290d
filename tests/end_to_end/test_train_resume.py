import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rogseg.models.checkpoints import BEST, LAST, read_checkpoint
from tests.tiny_task import write_tiny_task
from tests.tiny_training import ROOT, write_tiny_config

EXTRA = """
model = dict(backbone=dict(_delete_=True, type="ROG", in_channels="task.num_channels", strides="task.strides",
                           channels=4), head=dict(channels=4))
train_data = dict(num_workers=1)
train_cfg = dict(max_epochs=4, iterations_per_epoch=3)
default_hooks = dict(ema=dict(type="EMAHook", momentum=0.1))
plateau = dict(window=1, patience=1)
"""


def start(tmp_path: Path, name: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "tools/train.py", str(tmp_path / "tiny.py"), "--task", str(tmp_path / "task")]
    command += ["--device", "cpu", "--work-dir", str(tmp_path / name), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return output


@pytest.mark.check
def test_a_training_that_is_killed_and_resumed_ends_with_the_same_weights(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task")
    write_tiny_config(tmp_path, EXTRA)
    whole = start(tmp_path, "whole")
    killed = start(tmp_path, "parts")
    deadline = time.monotonic() + 600
    while not (tmp_path / "parts" / LAST).exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    output, _ = killed.communicate()
    assert killed.returncode == -signal.SIGKILL, output
    assert 1 <= read_checkpoint(tmp_path / "parts" / LAST)["meta"]["epoch"] < 4
    finish(whole)
    assert "resumed after epoch" in finish(start(tmp_path, "parts", "--resume"))
    for name in (LAST, BEST):
        first, second = read_checkpoint(tmp_path / "whole" / name), read_checkpoint(tmp_path / "parts" / name)
        assert first["meta"]["epoch"] == second["meta"]["epoch"]
        assert list(first["state_dict"]) == list(second["state_dict"])
        for key, value in first["state_dict"].items():
            assert torch.equal(value, second["state_dict"][key]), key
    dice = [
        [record["dice"] for record in read_checkpoint(tmp_path / run / LAST)["train_loop"]["history"]]
        for run in ("whole", "parts")
    ]
    assert dice[0] == dice[1]
    assert len(dice[0]) == 4


def test_a_user_error_is_one_line_and_the_help_is_quick(tmp_path: Path) -> None:
    begin = time.monotonic()
    helped = subprocess.run(
        [sys.executable, "-X", "importtime", "tools/train.py", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert helped.returncode == 0
    assert "--cfg-options" in helped.stdout
    assert " torch" not in helped.stderr
    assert time.monotonic() - begin < 10
    wrong = subprocess.run(
        [sys.executable, "tools/train.py", "configs/rog/rog_standard_livre.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert wrong.returncode == 2
    assert wrong.stderr.strip().splitlines()[-1].startswith("train.py: configs/rog/rog_standard_livre.py: there is no")
