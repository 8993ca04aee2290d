import argparse
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rogseg.commands import COMMANDS, command_parser, main
from rogseg.commands.demo import steps
from tests.tiny_training import ROOT

ZOO_NETWORK = "rog_standard_hippocampus_light"
HEAVY = {"torch", "numpy", "mmengine", "scipy", "nibabel", "matplotlib", "rich", "rogseg.engine"}


def test_every_file_is_a_command_and_every_command_has_its_file() -> None:
    files = {path.stem for path in (ROOT / "rogseg" / "commands").glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)
    assert len(COMMANDS) == len(set(COMMANDS))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does_and_exits(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: rogseg {command} ")


def test_without_arguments_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown.split() for command in COMMANDS)


def test_help_takes_under_a_fifth_of_a_second_and_loads_nothing_heavy() -> None:
    code = "import sys\nfrom rogseg.commands import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += f"loaded = {HEAVY!r} & set(sys.modules)\nassert not loaded, loaded\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert all(command in shown for command in COMMANDS)
    # Time of the processor, which others on the machine do not lengthen.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "rogseg: there is no command 'trian': did you mean 'train'?"),
        (["train", "rog_standard_livre"], "rogseg train: rog_standard_livre: there is no such network config"),
        (["train", "rog_standard_livre"], "did you mean 'rog_standard_liver'?"),
        (["train", "apgd_ce"], "apgd_ce is no network config"),
        (["attack", "rog_standard_liver", "weights.pth", "--attack", "rog_freeat"], "rog_freeat is no attack config"),
        (["attack", "rog_standard_liver", "weights.pth", "--attack", "apgd_cee"], "did you mean 'apgd_ce'?"),
        (["compare", "=records"], "rogseg compare: '=records' must be NAME=DIR"),
        (["attack", "rog_standard_liver", "--attack", "apgd_ce"], "is a config, which says nothing of weights: name"),
        (
            ["attack", "rog_standard_livre", "--attack", "apgd_ce"],
            "zoo: did you mean 'rog_standard_liver'?",
        ),
        (
            ["attack", "net", "--attack", "fgsm", "--epsilons", "8/255"],
            "--epsilons: did you mean '--epsilon'?",
        ),
        (
            ["attack", "--attack", "fgsm", "--epsilon", "4/255", "net"],
            "required: system (rogseg attack --help says more); --epsilon takes all words behind it",
        ),
        (["attack", "net", "--atack", "fgsm"], "there is no option --atack: did you mean '--attack'?"),
        (["attack", "net", "--attack", "fgsm", "--seed=x"], "argument --seed: invalid int value: 'x'"),
        (["attack", "net", "--attack", "fgsm", "--seed=-1"], "rogseg attack: --seed is -1, it must be at least 0"),
        (["attack", "net", "--attack", "fgsm", "--max-minutes=nan"], "--max-minutes is nan, it must be above 0 and"),
        (["certify", "net", "--samples", "0"], "certify: --samples is 0, it must lie between 1 and 65535 (rogseg"),
        (["certify", "net", "--tau", "0.75", "0.5"], "certify: --tau is 0.5, it must lie between 0.5 and 1 (rogseg"),
        (["corrupt", "net", "--severity", "5", "6"], "corrupt: --severity is 6, it must lie between 1 and 5 (rogseg"),
        (["report", "a", "--out", "b", "c"], "nothing takes c (rogseg report --help says more)"),
        (["download", "msd", "Task01_X", "--rooot", "x"], "there is no option --rooot: did you mean '--root'?"),
        (["download"], "required: source (rogseg download --help says more)"),
        (["attack", "12345", "--attack", "apgd_ce"], "no network of the model zoo: there are rog_corrupt_"),
        (
            ["attack", f"{ROOT}/README.md", "--attack", "apgd_ce"],
            "README.md is a file and no config",
        ),
        (["attack", "apgd_ce", "--attack", "apgd_ce"], "apgd_ce is the config of no network"),
    ],
)
def test_a_wrong_word_is_answered_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_may_be_shortened(command: str) -> None:
    parsers: list[argparse.ArgumentParser] = [command_parser(command, command)]
    for parser in parsers:
        assert not parser.allow_abbrev
        kinds = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        parsers += [kind for action in kinds for kind in action.choices.values()]
        known = {one for action in parser._actions for one in action.option_strings if one.startswith("--")}
        for option in (one for one in known if one[:-1] not in known):
            with pytest.raises(ValueError, match=f"there is no option {option[:-1]}: "):
                parser.parse_args([option[:-1]])


def test_a_list_of_commands_needs_no_folders_which_running_them_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "study_hippocampus", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert all(line.startswith("rogseg ") for line in listed)
    assert any("--data DATA --out OUT/" in line for line in listed)
    for more in ([], ["--page"], ["--data", "x"]):
        assert main(["study", "study_hippocampus", *more]) == 2
        told = capsys.readouterr().err
        assert "--out must be given, unless --list is" in told
        assert ("--data and" in told) == ("--data" not in more)


WITHOUT_DATA = {
    "attack": [ZOO_NETWORK, "--attack", "fgsm"],
    "legacy": [ZOO_NETWORK, "--out", "out"],
    "certify": [ZOO_NETWORK],
    "test": [ZOO_NETWORK, "--out", "out"],
    "corrupt": [ZOO_NETWORK, "--out", "out"],
    "evaluate": [ZOO_NETWORK, "--out", "out"],
    "transfer": [ZOO_NETWORK, f"other={ZOO_NETWORK}", "--attack", "fgsm", "--out", "out"],
    "train": ["rog_standard_hippocampus"],
}


@pytest.mark.parametrize("command", WITHOUT_DATA)
def test_without_data_a_command_says_where_to_get_them_and_advises_options_that_it_has(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, *WITHOUT_DATA[command]]) == 2
    message = capsys.readouterr().err
    assert "rogseg download msd Task04_Hippocampus" in message
    own = {flag for action in command_parser(command, command)._actions for flag in action.option_strings}
    advised = set(re.findall(r"--[a-z][a-z-]+", message))
    assert advised
    assert advised <= own
    assert ("--data" in advised) == ("--data" in own)


def test_messages_name_commands_that_an_installed_package_has() -> None:
    for path in (ROOT / "rogseg").rglob("*.py"):
        assert not re.search(r"tools/\w+\.py", path.read_text()), path


def test_the_package_runs_as_a_module() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "rogseg", "--version"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert shown.stdout.startswith("rogseg ")


def test_the_demo_calls_commands_as_they_are() -> None:
    for title, (name, *arguments) in steps(Path("out")).items():
        command_parser(name, title).parse_args(arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_that_are_given_in_two_places_all_count(command: str) -> None:
    parser = command_parser(command, "rogseg")
    for action in parser._actions:
        if action.option_strings and "=" in str(action.metavar) and action.nargs == "+":
            found = argparse.Namespace(**{action.dest: action.default})
            for text in ("a=1", "b=2"):
                action(parser, found, [text], action.option_strings[0])
            assert getattr(found, action.dest) == ["a=1", "b=2"], action.option_strings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "rog_standard_liver", "--cfg-options", "fold=1", "--cfg-options", "fold=2"], "fold is given twice"),
        (
            ["train", "rog_standard_liver", "--cfg-options", "optim_wrapper.optimizer.lr=1", "optim_wrapper=dict(a=1)"],
            "optim_wrapper.optimizer.lr lies inside optim_wrapper, which is given as well",
        ),
        (["train", "rog_standard_liver", "--fold", "1", "--cfg-options", "fold=2"], "--fold and --cfg-options fold="),
        (["train", "rog_standard_liver", "--fold", "all", "--cfg-options", "fold=2"], "--fold and --cfg-options fold="),
        (["train", "rog_standard_liver", "--work-dir", "a", "--cfg-options", "work_dir=b"], "--work-dir and --cfg-opt"),
        (
            ["test", "rog_standard_liver", ".", "--out", "o", "--fold", "1", "--cfg-options", "fold=2"],
            "given twice",
        ),
        (
            [
                "attack",
                "rog_standard_liver",
                "w.pth",
                "--attack",
                "fgsm",
                "--epsilon",
                "1",
                "--attack-options",
                "epsilons=[1]",
            ],
            "--epsilon and --attack-options epsilons=",
        ),
    ],
)
def test_what_is_said_in_two_ways_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
