"""The system files of docs/attack_your_network.md, each written as it stands beside a network, and opened."""

import re
from pathlib import Path

import pytest
import torch

from rogseg.engine.model.open_system import open_system
from tests.tiny_training import ROOT
from tests.unit.systems.any_network.networks import seeded
from tests.unit.systems.any_network.test_program_files import write_onnx

PAGE = ROOT / "docs/attack_your_network.md"
FILES = dict(re.findall(r"```python\n# (\S+)\n(system = .*?)```", PAGE.read_text(), flags=re.DOTALL))
INPUTS = torch.zeros(1, 1, 24, 24, 24)


def write_network(name: str, folder: Path) -> None:
    if name == "my_unet.py":
        nets = pytest.importorskip("monai.networks.nets")
        network = nets.UNet(3, 1, 3, channels=(8, 16, 32), strides=(2, 2), num_res_units=1)
        torch.save(network.state_dict(), folder / "unet.pt")
    elif name == "my_program.py":
        torch.export.save(torch.export.export(seeded(), (INPUTS,)), folder / "unet.pt2")
    else:
        pytest.importorskip("onnxruntime")
        write_onnx(folder / "unet.onnx", seeded(), 24)


def test_there_is_a_file_of_each_kind() -> None:
    assert set(FILES) == {"my_unet.py", "my_program.py", "my_onnx.py"}


@pytest.mark.parametrize("name", FILES)
def test_a_documented_system_opens_and_gives_its_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_network(name, tmp_path)
    (tmp_path / name).write_text(FILES[name])
    system = open_system([name], device="cpu", trust=name == "my_program.py").system
    assert system.class_names == ("organ", "lesion")
    assert system.model(INPUTS).shape == (1, 3, 24, 24, 24)
