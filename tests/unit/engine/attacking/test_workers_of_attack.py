"""Commands in several processes give what they give in one."""

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.commands import run_command
from rogseg.engine import load_config
from rogseg.engine.attacking.settings import DEFAULT_MEASURES
from rogseg.engine.case_workers import SystemNames
from rogseg.engine.model.open_system import open_system
from rogseg.registry import ATTACKS, MODELS
from rogseg.systems import System
from tests.tiny_task import write_tiny_task
from tests.tiny_training import write_tiny_config

OPTIONS = ("attack.num_iterations=1", "attack.num_queries=2")
# Named by the config itself, since a worker knows only what the config brings.
MODEL = 'custom_imports = ["tests.tiny_training"]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored task, a config and a network with random weights."""
    directory = tmp_path_factory.mktemp("made")
    write_tiny_task(directory / "task")
    config = load_config(write_tiny_config(directory, MODEL), {}, directory / "task")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, directory / "own.pth")
    return directory


def attack(made: Path, out: Path, *more: str) -> int:
    files = [str(made / "tiny.py"), str(made / "own.pth"), "--task", str(made / "task"), "--out", str(out)]
    how = ["--attack", "autoattack_cascade", "--protocol", "patch", "--device", "cpu", "--keep-volumes", "1"]
    few = ["--attack-options", *OPTIONS, "--epsilon", "64/255", "--sanity", "none"]
    return run_command("attack", [*files, *how, *few, *more], program="attack")


def lines(directory: Path) -> list[str]:
    """The records as they stand in the file, without what differs from run to run."""
    found: list[dict[str, Any]] = [json.loads(line) for line in (directory / "records.jsonl").read_text().splitlines()]
    return sorted(json.dumps({key: line[key] for key in line if key not in ("seconds", "crc")}) for line in found)


def same_content(one: Path, other: Path) -> None:
    assert lines(one) == lines(other)
    for name in ("header.json", "sanity.json", "table.md"):
        assert _timeless(one / name) == _timeless(other / name), name
    for volume in (one / "volumes").iterdir():
        assert volume.read_bytes() == (other / "volumes" / volume.name).read_bytes()


def _timeless(path: Path) -> str:
    return "\n".join(line for line in path.read_text().splitlines() if "command" not in line and "econds" not in line)


@pytest.mark.check
def test_two_processes_write_the_records_of_one(made: Path, tmp_path: Path) -> None:
    assert attack(made, tmp_path / "one") == 0
    assert attack(made, tmp_path / "two", "--num-workers", "2") == 0
    assert len(lines(tmp_path / "one")) > 2 * 2  # two cases; clean, the worst, and members
    same_content(tmp_path / "one", tmp_path / "two")


def test_a_worker_that_finds_another_system_under_the_name_says_so(made: Path) -> None:
    names = (str(made / "tiny.py"), str(made / "own.pth"))
    system = open_system(names, device="cpu", task_dir=made / "task").system
    asked = SystemNames(names, made / "task", "cpu").of(system)
    assert asked.open().system.identity == system.identity
    with pytest.raises(ValueError, match="a worker found another system under this name"):
        dataclasses.replace(asked, digest="another").open()


def test_a_worker_that_finds_other_own_code_or_another_rogseg_says_so(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the file of an own attack is saved between the start of the command and that of a worker."""
    monkeypatch.setattr(ATTACKS, "_module_dict", dict(ATTACKS.module_dict))
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / "own_attack_of_a_worker.py"
    source.write_text("from rogseg.attacks import FGSM\n\n\nclass OwnStep(FGSM):\n    pass\n")
    ATTACKS.register_module(module=importlib.import_module(source.stem).OwnStep)
    names = (str(made / "tiny.py"), str(made / "own.pth"))
    system = open_system(names, device="cpu", task_dir=made / "task").system
    asked = SystemNames(names, made / "task", "cpu").of(system, {"type": "OwnStep"})
    asked.open()
    source.write_text(source.read_text() + "# changed\n")
    with pytest.raises(ValueError, match="a worker found another code of your own components than the process"):
        asked.open()
    SystemNames(names, made / "task", "cpu").of(system, {"type": "FGSM"}).open()  # which does not depend on it
    monkeypatch.setattr("rogseg.__version__", "9")
    with pytest.raises(ValueError, match="another version of rogseg and another code"):
        asked.open()


def test_workers_of_an_attack_are_told_what_its_records_depend_on(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    of = SystemNames.of

    def noted(self: SystemNames, system: System, *components: Any) -> SystemNames:
        told.append(json.dumps(components))
        return of(self, system, *components)

    monkeypatch.setattr(SystemNames, "of", noted)
    assert attack(made, tmp_path / "out", "--cases", "case_08") == 0
    (components,) = told
    header = json.loads((tmp_path / "out" / "header.json").read_text())["identity"]
    used = [header["condition"]["config"]["type"], header["threat"]["type"], *DEFAULT_MEASURES[0].values()]
    assert all(f'"{name}"' in components for name in used)


def test_the_device_of_a_config_of_ours_counts_where_none_is_asked_for(made: Path) -> None:
    names, overrides = (str(made / "tiny.py"), str(made / "own.pth")), ["device='cpu:0'"]
    for asked, expected in ((None, "cpu:0"), ("cpu", "cpu")):
        opened = open_system(names, device=asked, task_dir=made / "task", overrides=overrides)
        assert str(opened.device) == expected


@pytest.mark.check
def test_a_folder_is_completed_by_others_and_errors_are_those_of_one_process(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attack(made, tmp_path / "one") == 0
    assert attack(made, tmp_path / "two", "--cluster", "local", "--num-workers", "2") == 0
    same_content(tmp_path / "one", tmp_path / "two")
    half = (tmp_path / "two/records.jsonl").read_text().splitlines(keepends=True)[:3]
    (tmp_path / "two/records.jsonl").write_text("".join(half) + '{"torn')
    assert attack(made, tmp_path / "two", "--num-workers", "2") == 0
    same_content(tmp_path / "one", tmp_path / "two")
    label = made / "task/cases/case_08/label.b2nd"
    whole, told = label.read_bytes(), []
    capsys.readouterr()
    for out, more in (("a", ()), ("b", ("--num-workers", "2")), ("c", ("--cluster", "local"))):
        label.write_bytes(whole[:40])
        assert attack(made, tmp_path / out, "--cases", "case_08", *more) == 2
        told.append(capsys.readouterr().err)
    label.write_bytes(whole)
    assert told[0] == told[1] == told[2]
    assert len(told[0].splitlines()) == 2  # how many cases, and a line for each


@pytest.mark.check
def test_two_processes_certify_as_one(made: Path, tmp_path: Path) -> None:
    files = [str(made / "tiny.py"), str(made / "own.pth"), "--task", str(made / "task"), "--device", "cpu"]
    few = [
        "--protocol",
        "patch",
        "--sigma",
        "0.1",
        "0.2",
        "--tau",
        "0.6",
        "--samples",
        "60",
        "--selection-samples",
        "5",
    ]
    call = [*files, *few, "--alpha", "0.01"]
    assert run_command("certify", [*call, "--out", str(tmp_path / "one")], program="certify") == 0
    assert run_command("certify", [*call, "--out", str(tmp_path / "two"), "--num-workers", "2"], program="certify") == 0
    assert len(lines(tmp_path / "one")) == 2 * (1 + 2)
    assert lines(tmp_path / "one") == lines(tmp_path / "two")
    assert len(list((tmp_path / "two" / "votes").iterdir())) == 2 * 2
