"""`rogseg estimate --cluster` from a calibration that is written by hand, so that its hours can be reckoned."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from rogseg.commands import run_command
from rogseg.engine.costs import cluster_costs

SIZE = (32, 48, 32)


def calibration(folder: Path, device: str = "NVIDIA A100-SXM4-80GB") -> Path:
    """Seconds per patch of hippocampus: 1 forward, 3 gradient, 4 training step."""
    seconds = {"forward": 1.0, "input_gradient": 3.0, "training_step": 4.0}
    network = {"size": SIZE, "rounds": 3, "seconds": seconds}
    path = folder / "A100.json"
    path.write_text(json.dumps({"device": device, "networks": {"Task04_Hippocampus": network}}))
    return path


def estimate(*options: str) -> int:
    return run_command("estimate", [*options], program="estimate")


def test_hours_follow_from_the_calibration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Counting the thousands of passes of AutoAttack takes longer than all the rest.
    monkeypatch.setitem(cluster_costs.ATTACKED_BY, "AutoAttack", "apgd_ce")
    file = str(calibration(tmp_path))
    hours = cluster_costs.estimate_cluster(
        "4xA100", calibration=Path(file), tasks=["hippocampus"], seconds=1.0, device="cpu"
    )
    (task,) = hours.tasks
    assert (task.task, task.num_cases) == ("Task04_Hippocampus", 52)
    # 1000 epochs of the 208 cases less the selection's tenth: whatever the config says, at 4 s a patch.
    assert task.seconds["standard"] % 4 == 0
    # The ensemble: 4 members of 100 gradients, at 3 s, plus single forward passes, over 2 x 2 x 2 windows of 35x50x36.
    assert 4 * 100 * 3 * 8 * 52 < task.seconds["ensemble"] < 1.3 * 4 * 100 * 3 * 8 * 52
    assert list(hours.schedules) == [1, 4, 8, 64]
    one, four = hours.schedules[1], hours.schedules[4]
    assert one.seconds == pytest.approx(sum(task.seconds.values()))
    # Free AT waits for the standard network; then 52 equal cases of each attack fill four devices, the longer first.
    trained = task.seconds["standard"] + task.seconds["Free AT"]
    attacked = sum(13 * task.seconds[name] / 52 for name in ("AutoAttack", "ensemble"))
    assert four.seconds == pytest.approx(trained + attacked)
    assert four.critical[:2] == ("hippocampus: standard", "hippocampus: Free AT")
    assert four.critical_seconds < four.seconds
    told = capsys.readouterr().out
    assert "hours on NVIDIA A100-SXM4-80GB" in told
    assert re.search(r"critical path.*hippocampus: standard -> hippocampus: Free AT", told)
    assert math.isclose(hours.schedules[64].seconds, trained + _two_rounds(task.seconds))


def _two_rounds(seconds: Mapping[str, float]) -> float:
    # 104 cases on 64 devices: 52 of the longer attack and 12 of the shorter begin, the 40 others where those 12 end.
    longer, shorter = sorted((seconds["AutoAttack"] / 52, seconds["ensemble"] / 52), reverse=True)
    ends = [shorter * rounds for rounds in range(1, 100)]
    left = 40
    for end in ends:  # 12 devices take turns until the longer ones end
        if end >= longer:
            break
        left -= 12
        if left <= 0:
            return max(longer, end + shorter)
    return longer + shorter


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cluster", "8xA100", "--device", "cpu"], "nothing is known of 'A100'; this machine is of 'cpu"),
        (["--cluster", "8xH100", "--calibration", "FILE"], "nothing is known of 'H100'"),
        (["--cluster", "A100"], "--cluster is 'A100'"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--tasks", "liver"], "has no times of liver"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--tasks", "livre"], "did you mean 'liver'"),
        (["rog_standard_liver", "--cluster", "8xA100"], "name no config"),
        (["rog_standard_liver", "--tasks", "liver"], "--tasks belongs to --cluster or --calibrate"),
        ([], "name the config of a network"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--attack", "no_such_attack"], "--attack has no effect"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--volume", "1x2"], "--volume has no effect"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--gpu-memory", "banana"], "--gpu-memory has no effect"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--task", "/nowhere"], "--task has no effect"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--cfg-options", "a=3"], "--cfg-options has no effect"),
        (["--cluster", "8xA100", "--calibration", "FILE", "--seconds", "5"], "--seconds has no effect: leave it out"),
        (["--calibrate", "FILE", "--attack-options", "attack.num_iterations=5"], "--attack-options has no effect"),
        (["--calibrate", "FILE", "--calibration", "FILE"], "--calibrate times anew: leave one of them out"),
    ],
)
def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    file = calibration(tmp_path)
    assert estimate(*(str(file) if option == "FILE" else option for option in options)) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "A100.json").write_text('{"device": "A100"}')
    assert estimate("--cluster", "8xA100", "--calibration", str(tmp_path / "A100.json")) == 2
    assert "not the calibration of a device" in capsys.readouterr().err
