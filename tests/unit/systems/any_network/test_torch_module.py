"""A torch module by import path and file of weights: prepared, segmented with, attacked, written back, refused."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rogseg.attacks import DiceBelow, LinfThreat
from rogseg.attacks.fgsm import FGSM
from rogseg.storage import RawCase
from rogseg.systems import TorchModule
from rogseg.systems.any_network.weights import WeightFile
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, seeded, write_case

PATH = f"{seeded.__module__}.TinyNetwork"


@pytest.fixture
def raw(tmp_path: Path) -> RawCase:
    return write_case(tmp_path / "raw")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(seeded().state_dict(), tmp_path / "tiny.pt")
    return tmp_path / "tiny.pt"


def test_a_network_by_its_path_is_segmented_with_and_attacked(raw: RawCase, weights: Path) -> None:
    system = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {"in_channels": 1}, weights)
    case = system.prepare(raw)
    with torch.no_grad():
        scaled = nibabel.load(raw.images[0]).get_fdata()
        assert np.allclose(case.inputs[0, 0].numpy(), (scaled - scaled.mean()) / scaled.std(), atol=1e-5)
    labels = system.segment(case)
    assert labels.shape == (13, 11, 10)
    assert np.array_equal(labels, system.logits(case.inputs)[0].argmax(0).numpy())
    assert case.targets is not None
    result = FGSM()(
        system.model,
        case.inputs,
        case.targets,
        LinfThreat.from_fraction(8 / 255, case.box),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    assert 0 < result.distance.item() <= 8 / 255 + 1e-6
    assert system.identity.kind == "torch"
    assert system.identity.name == "tiny"


def test_two_phases_of_a_ct_are_two_channels_in_hu(tmp_path: Path) -> None:
    window = {"type": "ScaleIntensityRange", "a_min": -1, "a_max": 1, "b_min": 0.0, "b_max": 1.0, "clip": True}
    system = TorchModule(seeded(in_channels=2), {"channels": ["CT", "ct"], "intensity": [window]}, WINDOWS, OUTPUTS, {})
    assert [channel.unit for channel in system.channels] == ["HU", "HU"]
    raw = write_case(tmp_path / "raw", channels=2)
    values = np.stack([nibabel.load(file).get_fdata() for file in raw.images])
    assert np.allclose(system.prepare(raw).inputs[0].numpy(), (values.clip(-1, 1) + 1) / 2, atol=1e-5)


def test_names_beside_the_prefix_stay_what_they_are(tmp_path: Path) -> None:
    state = seeded().state_dict()
    others = {name: torch.zeros_like(value) for name, value in state.items()}
    torch.save({**{f"net.{name}": value for name, value in state.items()}, **others}, tmp_path / "w.pt")
    file = WeightFile.read(tmp_path / "w.pt", prefix="net.")
    new = {name: value + 1 for name, value in state.items()}
    file.write(tmp_path / "new.pt", new)
    read = WeightFile.read(tmp_path / "new.pt", prefix="net.").state()
    assert all(torch.equal(read[name], value) for name, value in new.items())
    assert all((torch.load(tmp_path / "new.pt")[name] == 0).all() for name in state)


def test_a_network_may_have_a_part_called_module(tmp_path: Path) -> None:
    class Wrapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = seeded()

        def forward(self, inputs: torch.Tensor) -> Any:
            return self.module(inputs)

    for names in ("", "module."):  # as it is, and as a DDP wrapper saves it
        torch.save({f"{names}{name}": v for name, v in Wrapped().state_dict().items()}, tmp_path / "w.pt")
        system = TorchModule(Wrapped(), INPUTS, WINDOWS, OUTPUTS, weights=tmp_path / "w.pt")
        assert torch.equal(system.networks[0].state_dict()["module.last.bias"], seeded().state_dict()["last.bias"])


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_thick_slices_are_interpolated_as_the_other_axes(tmp_path: Path, interpolation: str) -> None:
    raw = write_case(tmp_path, spacing=(1.0, 1.0, 5.0))
    ramp = np.broadcast_to(10.0 * np.arange(10), (13, 11, 10)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(ramp, nibabel.load(raw.images[0]).affine), raw.images[0])
    inputs = {**INPUTS, "intensity": [], "spacing": [1.0, 1.0, 1.0], "interpolation": interpolation}
    system = TorchModule(seeded(), inputs, WINDOWS, OUTPUTS)
    case = system.prepare(raw)
    line = case.inputs[0, 0, 6, 5].numpy()
    assert line.shape == (50,)
    assert np.allclose(np.diff(line[10:-10]), 2.0, atol=0.1)
    assert system.segment(case).shape == (13, 11, 10)


def test_axes_and_spacing_are_changed_on_the_way_in_and_back_on_the_way_out(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", spacing=(1.0, 2.0, 1.5), flip=True)
    system = TorchModule(seeded(), {**INPUTS, "spacing": [1.0, 1.0, 1.5], "orientation": "RAS"}, WINDOWS, OUTPUTS)
    case = system.prepare(raw)
    assert case.inputs.shape == (1, 1, 13, 22, 10)
    assert case.spacing == (1.0, 1.0, 1.5)
    file = nibabel.load(raw.images[0]).get_fdata()
    assert np.corrcoef(case.inputs[0, 0].numpy()[:, ::2].ravel(), file[::-1].ravel())[0, 1] > 0.7
    assert system.segment(case).shape == (13, 11, 10)
    # The network answers with the input's sign: of a smooth volume it comes back as it lay in the file.
    sign = torch.nn.Conv3d(1, 2, 1, bias=False)
    torch.nn.init.constant_(sign.weight[:1], -1)
    torch.nn.init.constant_(sign.weight[1:], 1)
    volume = np.linspace(-1, 1, 13)[:, None, None] * np.ones((13, 11, 10))
    nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), nibabel.load(raw.images[0]).affine), raw.images[0])
    signed = TorchModule(
        sign, {**INPUTS, "spacing": [1.0, 1.0, 1.5], "orientation": "RAS"}, WINDOWS, {"classes": ["up"]}
    )
    labels = signed.segment(signed.prepare(RawCase("case", raw.images, None)))
    assert np.array_equal(labels[[0, 1, 11, 12]], (volume > 0)[[0, 1, 11, 12]])


def test_zeros_are_frozen_and_masked_cases_are_still_attacked(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", zero_border=2)
    inputs = {"channels": ["MR"], "intensity": [{"type": "NormalizeIntensity", "nonzero": True}]}
    case = TorchModule(seeded(), inputs, WINDOWS, OUTPUTS).prepare(raw)
    assert case.movable is not None
    assert int(case.movable.sum()) == 9 * 7 * 6
    assert not case.inputs[0, 0][~case.movable[0, 0]].any()


@pytest.mark.parametrize("form", ["plain", "key", "prefix", "safetensors"])
def test_weights_are_found_and_written_back_in_their_own_form(tmp_path: Path, form: str) -> None:
    state = seeded().state_dict()
    file = tmp_path / ("net.safetensors" if form == "safetensors" else "net.pt")
    options: dict[str, Any] = {}
    if form == "safetensors":
        save_file(state, file)
    elif form == "plain":
        torch.save(state, file)
    elif form == "key":
        torch.save({"net": state, "optimizer": {"state": {}}, "best_metric": np.float64(0.5), "epoch": 3}, file)
    else:
        torch.save({"state_dict": {**{f"net.{k}": v for k, v in state.items()}, "loss.weight": torch.ones(2)}}, file)
        options = {"weights_prefix": "net."}
    system = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, file, **options)
    with torch.no_grad():
        system.networks[0].last.bias += 1  # type: ignore[operator, union-attr]
    system.write_back(tmp_path / "out")
    written = tmp_path / "out" / file.name
    again = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, written, **options)
    assert torch.equal(again.networks[0].state_dict()["last.bias"], state["last.bias"] + 1)
    assert torch.equal(again.networks[0].state_dict()["first.weight"], state["first.weight"])
    assert again.identity.digest != TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, file, **options).identity.digest
    if form == "key":
        assert WeightFile.read(written).content["epoch"] == 3
        assert WeightFile.read(written).content["best_metric"] == 0.5
    if form == "prefix":
        assert torch.load(written, weights_only=True)["state_dict"]["loss.weight"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="exists already"):
        system.write_back(tmp_path / "out")


@pytest.mark.parametrize("file", ["net.safetensors", "net.pt"])
def test_weights_that_a_file_rounds_are_those_of_the_system_afterwards(tmp_path: Path, file: str) -> None:
    state = {name: value.half() for name, value in seeded().state_dict().items()}
    (save_file if file.endswith("safetensors") else torch.save)(state, tmp_path / file)
    system = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, tmp_path / file)
    for weight in system.networks[0].parameters():
        weight.mul_(1.0001)
    trained = {name: value.clone() for name, value in system.networks[0].state_dict().items()}
    system.write_back(tmp_path / "out")
    again = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, tmp_path / "out" / file)
    written, now = again.networks[0].state_dict(), system.networks[0].state_dict()
    assert all(torch.equal(value, now[name]) for name, value in written.items())
    assert any(not torch.equal(value, now[name]) for name, value in trained.items())


def test_a_module_that_is_there_writes_safetensors(tmp_path: Path) -> None:
    TorchModule(seeded(), INPUTS, WINDOWS, OUTPUTS).write_back(tmp_path / "out")
    assert torch.equal(
        load_file(tmp_path / "out" / "weights.safetensors")["last.bias"], seeded().state_dict()["last.bias"]
    )


class Evil:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (os.environ["EVIL_FOLDER"],)


@pytest.mark.parametrize("content", ["pickle", "torch", "module"])
def test_code_in_a_file_of_weights_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setenv("EVIL_FOLDER", str(tmp_path / "ran"))
    file = tmp_path / "evil.pt"
    if content == "pickle":
        file.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    else:
        torch.save({"state_dict": Evil()} if content == "torch" else seeded(), file)
    with pytest.raises(ValueError, match=r"evil\.pt: .*save the state dict"):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("network", "arguments", "said"),
    [
        ("TinyNetwork", {}, "give an import path"),
        ("no_such_package_at_all.Net", {}, "no module 'no_such_package_at_all'"),
        (f"{seeded.__module__}.HugeNetwork", {}, "has no 'HugeNetwork'"),
        (PATH, {"in_chanels": 1}, r"does not take system\.arguments .*in_chanels"),
        (PATH, {"out_channels": 4}, r"tiny\.pt: weights of another network.*of another shape are last\.bias"),
        ("builtins.dict", {}, "gives a dict, which is no torch module"),
    ],
)
def test_a_network_that_cannot_be_made_is_refused(
    weights: Path, network: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        TorchModule(network, INPUTS, WINDOWS, OUTPUTS, arguments, weights)


@pytest.mark.parametrize("name", ["absent.pt", "absent.safetensors"])
def test_where_absent_weights_were_looked_for_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = rf"^{re.escape(str(tmp_path / name))}: no such file; a relative path counts from the folder that you are in$"
    with pytest.raises(ValueError, match=said):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, name)


def test_what_is_missing_is_named(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ValueError, match=r"system\.weights is missing"):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS)
    with pytest.raises(ValueError, match=r"absent\.pt: no such file"):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, tmp_path / "absent.pt")
    with pytest.raises(ValueError, match=r"tiny\.pt: holds no state dict under weights_key 'net'; its keys are"):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, weights, "net")
    with pytest.raises(ValueError, match=r"no weight begins with 'net\.'"):
        TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {}, weights, weights_prefix="net.")
    with pytest.raises(ValueError, match=r"system\.inputs: missing keys \['intensity'\]"):
        TorchModule(PATH, {"channels": ["MR"]}, WINDOWS, OUTPUTS, {}, weights)
    system = TorchModule(PATH, {**INPUTS, "channels": ["T1", "T2"]}, WINDOWS, OUTPUTS, {}, weights)
    with pytest.raises(ValueError, match=r"case_0000\.nii\.gz: it has 1 channels, 2 expected"):
        system.prepare(write_case(tmp_path / "raw"))


def test_what_is_trained_is_the_network_and_its_logits_are_the_systems() -> None:
    system = TorchModule(seeded(form="tuple"), INPUTS, WINDOWS, {**OUTPUTS, "key": 1})
    (trained,) = system.trainable
    windows = torch.randn(2, 1, 8, 8, 8)
    assert torch.equal(trained.module(windows), system.logits(windows))
    for parameter in trained.module.parameters():
        parameter.requires_grad_(True)
    trained.module(windows).sum().backward()
    assert all(parameter.grad is not None for parameter in system.networks[0].parameters())


def test_an_adversary_written_as_a_raw_file_is_seen_as_it_was_made(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", flip=True)
    window = {"type": "ScaleIntensityRange", "a_min": 20, "a_max": 110, "b_min": -1.0, "b_max": 1.0, "clip": True}
    system = TorchModule(seeded(), {"channels": ["CT"], "intensity": [window], "orientation": "RAS"}, WINDOWS, OUTPUTS)
    case = system.prepare(raw)
    assert case.axes == "RAS"
    noise = torch.rand(case.inputs.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    adversarial = case.box.clip(case.inputs + 0.1 * noise)
    volume = system.raw_adversary(raw, case, adversarial)
    assert not volume.notes
    nibabel.save(nibabel.Nifti1Image(volume.array[0], volume.affine), tmp_path / "moved.nii.gz")
    seen = system.prepare(RawCase("moved", (tmp_path / "moved.nii.gz",), None)).inputs
    assert torch.allclose(seen, adversarial, atol=1e-5)
    assert not torch.allclose(seen, case.inputs, atol=1e-2)
    scored = TorchModule(seeded(), INPUTS, WINDOWS, OUTPUTS)
    other = scored.prepare(raw)
    assert other.axes == "LAS"
    assert "own mean and deviation" in scored.raw_adversary(raw, other, other.inputs).notes[0]


def test_a_function_that_is_no_line_is_said_to_be_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bent_units.py").write_text("import numpy as np\ndef bend(values):\n    return np.tanh(values / 100)\n")
    monkeypatch.syspath_prepend(tmp_path)
    ends = {"lower": [-1.0], "upper": [1.0], "raw_lower": [-300.0], "raw_upper": [300.0]}
    inputs = {"channels": ["MR"], "intensity": [{"type": "Function", "call": "bent_units.bend", **ends}]}
    system, raw = TorchModule(seeded(), inputs, WINDOWS, OUTPUTS), write_case(tmp_path / "raw")
    case = system.prepare(raw)
    adversarial = case.inputs - 0.1
    volume = system.raw_adversary(raw, case, adversarial)
    nibabel.save(nibabel.Nifti1Image(volume.array[0], volume.affine), tmp_path / "moved.nii.gz")
    seen = system.prepare(RawCase("moved", (tmp_path / "moved.nii.gz",), None)).inputs
    assert not torch.allclose(seen, adversarial, atol=1e-2)
    assert volume.notes == ("its Function is taken for a line from raw_lower to raw_upper",)


def test_a_label_without_a_class_of_the_network_is_told_to_be_the_networks_lack(raw: RawCase, weights: Path) -> None:
    assert raw.label is not None
    file = nibabel.load(raw.label)
    nibabel.save(nibabel.Nifti1Image(np.full(file.shape, 9, np.uint8), file.affine), raw.label)
    system = TorchModule(PATH, INPUTS, WINDOWS, OUTPUTS, {"in_channels": 1}, weights)
    with pytest.raises(ValueError, match=re.escape("holds the values [9]")) as refused:
        system.prepare(raw)
    assert "outputs.classes" in str(refused.value)
