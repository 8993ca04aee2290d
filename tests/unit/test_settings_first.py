"""A mistake in the settings is told as one of the option that made it, before networks and data are looked for."""

from pathlib import Path

import pytest

from rogseg.commands import main


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["transfer", "no_such_a", "no_such_b", "--out", "OUT"], "--attack-options: unknown key 'num_iterations'"),
        (["attack", "no_such_a", "--surrogate", "no_such_b"], "--attack-options: unknown key 'num_iterations'"),
        (["harden", "no_such_a", "--data", "OUT", "--out", "OUT/new"], "'num_replay'"),
    ],
)
def test_settings_are_read_before_networks_and_data_are(
    command: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["--trainer-options", "num_replay=2"]
    if command[0] != "harden":
        wrong = ["--attack", "apgd_ce", "--attack-options", "num_iterations=2"]
    assert main([part.replace("OUT", str(tmp_path)) for part in command] + wrong) == 2
    assert message in capsys.readouterr().err


def test_an_option_of_its_own_is_named_where_it_has_no_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plans.json").write_text("{}")  # what an nnU-Net's folder is recognised by
    assert main(["test", str(tmp_path), "--fold", "3", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "--fold 3: fold has no effect on" in said
    assert "--cfg-options" not in said
