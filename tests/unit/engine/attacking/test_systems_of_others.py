"""Systems of anybody's by the commands: a config file, a bundle folder, an ONNX file that only queries attack."""

import json
import math
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.commands import main
from rogseg.engine.model.open_system import open_system
from rogseg.registry import ATTACKS
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, seeded, write_case
from tests.unit.systems.any_network.test_program_files import write_onnx

FAST = ["--sanity", "none", "--device", "cpu", "--epsilon", "8/255", "--keep-volumes", "0"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "Task99_Tiny"
    write_case(folder / "made")
    for name, place in (("case_0000.nii.gz", "imagesTr"), ("case.nii.gz", "labelsTr")):
        (folder / place).mkdir()
        for case in ("case", "other"):
            shutil.copy(folder / "made" / name, folder / place / f"{case}.nii.gz")
    index = {
        "name": "Tiny",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "organ", "2": "lesion"},
        "training": [
            {"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"} for case in ("case", "other")
        ],
        "test": [],
    }
    (folder / "dataset.json").write_text(json.dumps(index))
    return folder


def write_config(path: Path, **system: object) -> str:
    settings = {"inputs": INPUTS, "windows": WINDOWS, "outputs": OUTPUTS, **system}
    path.write_text(f"system = {settings!r}\n")
    return str(path)


def write_torch_config(folder: Path, network: torch.nn.Module, **more: object) -> str:
    torch.save(network.state_dict(), folder / "tiny.pt")
    return write_config(
        folder / "mine.py",
        type="TorchModule",
        network=f"{seeded.__module__}.TinyNetwork",
        arguments={"out_channels": 3},
        weights=str(folder / "tiny.pt"),
        **more,
    )


def run(command: str, system: str, data: Path, out: Path, *more: str) -> int:
    return main([command, system, "--data", str(data), "--cases", "case", "--out", str(out), *more])


def test_a_torch_module_is_tested_and_attacked_by_its_config(data: Path, tmp_path: Path) -> None:
    config = write_torch_config(tmp_path, seeded())
    assert run("test", config, data, tmp_path / "test", "--device", "cpu") == 0
    assert len(list((tmp_path / "test").rglob("case.nii.gz"))) == 1
    assert run("attack", config, data, tmp_path / "attack", "--attack", "fgsm", *FAST) == 0
    identity = json.loads((tmp_path / "attack" / "header.json").read_text())["identity"]
    assert identity["system"]["kind"] == "torch"
    assert identity["system"]["options"]["network"].endswith("TinyNetwork")
    assert "No white-box" not in (tmp_path / "attack" / "table.md").read_text()


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("command", "more"), [("test", []), ("attack", ["--attack", "fgsm", *FAST])])
def test_a_network_that_gives_no_numbers_is_refused_for_that(
    command: str, more: list[str], value: float, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = seeded()
    torch.nn.init.constant_(network.last.weight, value)
    config = write_torch_config(tmp_path, network)
    assert run(command, config, data, tmp_path / "out", "--device", "cpu", *more) == 2
    assert "not finite" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("inputs", "is_told"), [({}, True), ({"orientation": "RAS"}, False)])
@pytest.mark.parametrize(("command", "more"), [("test", []), ("attack", ["--attack", "fgsm", *FAST])])
def test_cases_that_lie_otherwise_than_most_are_told_where_the_system_names_no_orientation(
    command: str,
    more: list[str],
    inputs: dict[str, str],
    is_told: bool,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    index = json.loads((data / "dataset.json").read_text())
    for part, folder in (("image", "imagesTr"), ("label", "labelsTr")):
        shutil.copy(data / folder / "case.nii.gz", data / folder / "third.nii.gz")
        index["training"][0].setdefault("third", {})[part] = f"./{folder}/third.nii.gz"
        turned = nibabel.load(data / folder / "case.nii.gz").as_reoriented(np.array([[2, -1], [1, 1], [0, 1]]))
        nibabel.save(turned, data / folder / "case.nii.gz")
    index["training"].append(index["training"][0].pop("third"))
    (data / "dataset.json").write_text(json.dumps(index))
    config = write_torch_config(tmp_path, seeded(), inputs={**INPUTS, **inputs})
    named = [command, config, "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu", *more]
    assert main([*named, "--cases", "case", "third"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("note: case: its axes point ") == told.count("sees this case turned") == int(is_told)
    records = [json.loads(line) for line in (tmp_path / "out" / "records.jsonl").read_text().splitlines()]
    noted = {one["case_id"] for one in records if any("turned" in note for note in one["notes"])}
    assert noted == ({"case"} if is_told else set())


@pytest.mark.parametrize(("written", "expected"), [([], "cpu:0"), (["--device", "cpu"], "cpu")])
@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("attack", ["--attack", "fgsm", "--sanity", "none", "--keep-volumes", "0"]),
        ("certify", ["--sigma", "0.1", "--tau", "0.6", "--samples", "60", "--selection-samples", "2"]),
        ("corrupt", ["--corruption", "GaussianNoise", "--severity", "1"]),
        ("test", []),
    ],
)
def test_a_device_on_the_command_line_wins_and_else_that_of_the_config_is_on_record(
    command: str,
    more: list[str],
    written: list[str],
    expected: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded: list[str] = []

    def environment(device: torch.device) -> dict[str, str]:
        recorded.append(str(device))
        return {}

    for module in ("attacking.robustness", "certifying.certification", "corrupting.corruptions", "accuracy.accuracy"):
        monkeypatch.setattr(f"rogseg.engine.{module}.environment", environment)
    config = write_torch_config(tmp_path, seeded(), device="cpu:0")
    assert str(open_system([config], device=written[-1] if written else None).device) == expected
    assert run(command, config, data, tmp_path / "out", *more, *written) == 0
    assert recorded == [expected]


def test_measures_are_chosen_for_a_system_of_a_config_as_for_any(data: Path, tmp_path: Path) -> None:
    config = write_torch_config(tmp_path, seeded())
    chosen = ["--device", "cpu", "--cfg-options", "measures=[dict(type='Dice'), dict(type='VolumeError')]"]
    assert run("test", config, data, tmp_path / "test", *chosen) == 0
    record = json.loads((tmp_path / "test" / "records.jsonl").read_text().splitlines()[0])
    assert set(record["measures"]) == {"Dice", "volume error"}


def test_a_network_that_finds_nothing_is_not_called_robust(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = seeded()
    with torch.no_grad():
        for weights in dead.parameters():
            weights.zero_()
    config = write_torch_config(tmp_path, dead)
    assert run("attack", config, data, tmp_path / "attack", "--attack", "fgsm", *FAST) == 2
    assert "finds none of the targets: its clean Dice is 0 in all of the cases" in capsys.readouterr().err


def test_an_onnx_file_is_only_attacked_by_queries_and_the_report_says_so(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    write_onnx(tmp_path / "net.onnx", seeded())
    config = write_config(tmp_path / "mine.py", type="OnnxModel", file=str(tmp_path / "net.onnx"), threads=1)
    assert run("attack", config, data, tmp_path / "white", "--attack", "fgsm", *FAST) == 2
    assert "fgsm asks for gradients and net has none (onnx)" in capsys.readouterr().err
    few = ["--attack-options", "attack.num_queries=3"]
    assert run("attack", config, data, tmp_path / "white", "--attack", "square", *few, *FAST) == 0
    assert "No white-box attack was made" in capsys.readouterr().out
    surrogate = ["--surrogate", config]
    assert run("attack", config, data, tmp_path / "other", "--attack", "fgsm", *FAST, *surrogate) == 2
    assert "has no gradient" in capsys.readouterr().err


def test_a_program_runs_with_trust_alone(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.export.save(torch.export.export(seeded(), (torch.zeros(1, 1, 8, 8, 8),)), tmp_path / "net.pt2")
    config = write_config(tmp_path / "mine.py", type="TorchProgram", file=str(tmp_path / "net.pt2"))
    assert run("attack", config, data, tmp_path / "out", "--attack", "fgsm", *FAST) == 2
    assert "net.pt2: a torch.export file is a program of whoever made it" in capsys.readouterr().err
    assert open_system([config], device="cpu", trust=True).system.identity.kind == "torch.export"


def test_which_attacks_need_a_gradient() -> None:
    square = {"type": "Square"}
    assert not ATTACKS.build(square).needs_gradient
    assert ATTACKS.build({"type": "FGSM"}).needs_gradient
    assert not ATTACKS.build({"type": "Composite", "members": {"a": square, "b": square}}).needs_gradient
    assert ATTACKS.build({"type": "Composite", "members": {"a": square, "b": {"type": "FGSM"}}}).needs_gradient
