"""torchrun with restarts: a rank that is killed ends in a training that goes on, and to the same weights."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rogseg.models.checkpoints import LAST, read_checkpoint
from tests.tiny_task import write_tiny_task
from tests.tiny_training import ROOT, write_tiny_config

EXTRA = """
custom_imports = ["tests.tiny_training"]
trainer = dict(type="FreeTrainer", num_replays=2, epsilon=0.05)
train_data = dict(batch_size=1, num_workers=0)
train_cfg = dict(max_epochs=12, iterations_per_epoch=8)
"""


def torchrun(tmp_path: Path, name: str, restarts: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), "tools/train.py", str(tmp_path / "tiny.py"), "--device", "cpu"]
    command += ["--launcher", "pytorch", "--resume", "--task", str(tmp_path / "task")]
    return subprocess.Popen(
        [*command, "--work-dir", str(tmp_path / name)], cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def rank_of(launcher: int, rank: int) -> int:
    """Process id of a rank."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError(f"no rank {rank}")


@pytest.mark.check
def test_a_killed_rank_ends_in_a_training_that_goes_on(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task")
    write_tiny_config(tmp_path, EXTRA)
    whole = torchrun(tmp_path, "whole", 0)
    output, _ = whole.communicate(timeout=600)
    assert whole.returncode == 0, output
    assert "Warning" not in output
    killed, deadline = torchrun(tmp_path, "killed", 1), time.monotonic() + 600
    while not (tmp_path / "killed" / LAST).exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(rank_of(killed.pid, 1), signal.SIGKILL)
    output, _ = killed.communicate(timeout=600)
    assert killed.returncode == 0, output
    assert "resumed after epoch" in output
    first, second = (read_checkpoint(tmp_path / name / LAST) for name in ("whole", "killed"))
    assert first["meta"]["epoch"] == second["meta"]["epoch"] == 6  # two replays of each mini-batch
    for key, value in first["state_dict"].items():
        assert torch.equal(value, second["state_dict"][key]), key
