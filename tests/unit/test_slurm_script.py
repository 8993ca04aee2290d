"""The array job's script: the shard and folder of each task, by what SLURM tells it; rogseg itself is stood in for."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/slurm_attack.sh"


def run(tmp_path: Path, arguments: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    stand_in = tmp_path / "rogseg"
    stand_in.write_text('#!/bin/sh\necho "$OMP_NUM_THREADS" "$@"\n')
    stand_in.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "ROGSEG"))}
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={**environment, "ROGSEG": str(stand_in), **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "shard"),
    [
        ({"SLURM_ARRAY_TASK_COUNT": "16", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_STEP": "1"}, "7/16"),
        ({"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "7", "ROGSEG_SHARDS": "16"}, "7/16"),
    ],
)
def test_a_task_attacks_its_shard_into_a_folder_of_its_own(
    tmp_path: Path, variables: dict[str, str], shard: str
) -> None:
    arguments = ["/out dir", "zoo_name", "--attack", "apgd_ce"]
    done = run(tmp_path, arguments, SLURM_ARRAY_TASK_ID="7", SLURM_CPUS_PER_TASK="4", **variables)
    assert done.stdout == f"4 attack zoo_name --attack apgd_ce --shard {shard} --out /out dir/shard_7\n"


def test_what_slurm_was_not_told_is_refused(tmp_path: Path) -> None:
    assert "usage: sbatch" in run(tmp_path, []).stderr
    assert "sbatch --array=1-N" in run(tmp_path, ["out", "zoo_name"]).stderr
    zero = {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0"}
    done = run(tmp_path, ["out", "zoo_name"], **zero)
    assert (done.returncode, "counted from 1" in done.stderr) == (2, True)
