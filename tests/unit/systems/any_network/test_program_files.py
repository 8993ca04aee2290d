"""TorchScript, torch.export and ONNX files: the same labels as the network, and what each of them cannot do."""

import importlib.metadata
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.attacks import DiceBelow, LinfThreat
from rogseg.attacks.square import Square
from rogseg.systems import OnnxModel, TorchModule, TorchProgram
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, TinyNetwork, seeded, write_case

WINDOW = (1, 1, 8, 8, 8)


def write_onnx(path: Path, network: TinyNetwork, edge: int = 8) -> None:
    """The network's graph, written by hand: PyTorch's exporter takes seconds."""
    helper = pytest.importorskip("onnx.helper")
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    nodes = [
        helper.make_node("Conv", ["image", "first.weight", "first.bias"], ["hidden"], pads=[1] * 6),
        helper.make_node("Softplus", ["hidden"], ["active"]),
        helper.make_node("Conv", ["active", "last.weight", "last.bias"], ["logits"]),
    ]
    shapes = [("image", [1, 1, edge, edge, edge]), ("logits", [1, 3, edge, edge, edge])]
    given, found = (helper.make_tensor_value_info(name, 1, shape) for name, shape in shapes)
    tensors = [helper.make_tensor(name, 1, value.shape, value.tobytes(), raw=True) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", [given], [found], tensors)
    opset = helper.make_opsetid("", 17)
    path.write_bytes(helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, network = tmp_path_factory.mktemp("programs"), seeded().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(network, torch.zeros(WINDOW)), folder / "net.ts")  # type: ignore[no-untyped-call]
        torch.export.save(torch.export.export(network, (torch.zeros(WINDOW),)), folder / "net.pt2")
    write_onnx(folder / "net.onnx", network)
    return {path.suffix[1:]: path for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["ts", "pt2"])
@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (torch.nn.BatchNorm3d(8), r"changes its own buffers .* after network\.eval"),
        (torch.nn.Dropout3d(0.5), r"another answer each time, .* after network\.eval"),
    ],
    ids=["learns", "draws"],
)
def test_a_program_that_was_exported_as_it_trains_is_refused(
    tmp_path: Path, form: str, layer: torch.nn.Module, said: str
) -> None:
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 8, 1), layer, torch.nn.Conv3d(8, 3, 1)).train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "ts":
            traced = torch.jit.trace(network, torch.randn(WINDOW), check_trace=False)  # type: ignore[no-untyped-call]
            torch.jit.save(traced, tmp_path / "net.ts")
        else:
            torch.export.save(torch.export.export(network, (torch.randn(WINDOW),)), tmp_path / "net.pt2")
    program = TorchProgram(tmp_path / f"net.{form}", INPUTS, WINDOWS, OUTPUTS, trust=True)
    case = program.prepare(write_case(tmp_path / "raw"))
    for _ in range(2):
        with pytest.raises(ValueError, match=said):
            program.segment(case)


@pytest.mark.parametrize("form", ["ts", "pt2"])
def test_a_trusted_program_has_the_logits_and_the_gradient_of_its_network(
    files: dict[str, Path], tmp_path: Path, form: str
) -> None:
    program = TorchProgram(files[form], INPUTS, WINDOWS, OUTPUTS, trust=True)
    network = TorchModule(seeded(), INPUTS, WINDOWS, OUTPUTS)
    case = program.prepare(write_case(tmp_path))
    found = []
    for system in (program, network):
        leaf = case.inputs.clone().requires_grad_()
        logits = system.model(leaf)
        found.append((logits, torch.autograd.grad(logits.square().sum(), leaf)[0]))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-4)
    assert program.segment(case).shape == (13, 11, 10)


@pytest.mark.parametrize(("form", "kind"), [("ts", "TorchScript"), ("pt2", r"torch\.export")])
def test_a_program_is_said_to_be_one_and_not_loaded_without_trust(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, form: str, kind: str
) -> None:
    for reader in (torch.jit, torch.export):
        monkeypatch.setattr(reader, "load", lambda *_: pytest.fail("loaded"))
    with pytest.raises(
        ValueError, match=rf"a {kind} file is a program of whoever made it, and was not loaded.*--trust"
    ):
        TorchProgram(files[form], INPUTS, WINDOWS, OUTPUTS)


def test_a_file_that_is_no_program_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    torch.save(seeded().state_dict(), tmp_path / "state.pt")
    with pytest.raises(ValueError, match=r"state\.pt: neither a TorchScript nor a torch\.export file.*TorchModule"):
        TorchProgram(tmp_path / "state.pt", INPUTS, WINDOWS, OUTPUTS, trust=True)
    with pytest.raises(ValueError, match=r"net\.ts: .*type='TorchProgram'"):
        TorchModule(f"{seeded.__module__}.TinyNetwork", INPUTS, WINDOWS, OUTPUTS, {}, files["ts"])
    (tmp_path / "cut.ts").write_bytes(files["ts"].read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"cut\.ts: neither"):
        TorchProgram(tmp_path / "cut.ts", INPUTS, WINDOWS, OUTPUTS, trust=True)


def test_an_exported_program_of_another_window_says_so(files: dict[str, Path], tmp_path: Path) -> None:
    for windows, shape in (
        ({"size": [6, 6, 6]}, r"\(1, 1, 6, 6, 6\)"),
        ({**WINDOWS, "batch": 2}, r"\(2, 1, 8, 8, 8\)"),
    ):
        program = TorchProgram(files["pt2"], INPUTS, windows, OUTPUTS, trust=True)
        with pytest.raises(ValueError, match=rf": the network does not take windows of shape {shape}.*windows\.batch"):
            program.segment(program.prepare(write_case(tmp_path)))


@pytest.mark.parametrize("form", ["ts", "pt2"])
def test_a_program_that_gives_no_probabilities_as_stated_is_refused(
    files: dict[str, Path], tmp_path: Path, form: str
) -> None:
    program = TorchProgram(files[form], INPUTS, WINDOWS, {**OUTPUTS, "probabilities": True}, trust=True)
    with pytest.raises(ValueError, match=r"outputs\.probabilities is True, but"):
        program.segment(program.prepare(write_case(tmp_path)))


def test_what_failed_in_a_script_is_told_and_not_the_way_there(files: dict[str, Path], tmp_path: Path) -> None:
    program = TorchProgram(files["ts"], {**INPUTS, "channels": ["T1", "T2"]}, WINDOWS, OUTPUTS, trust=True)
    with pytest.raises(ValueError, match=r"expected input\[1, 2, 8, 8, 8\] to have 1 channels"):
        program.logits(torch.zeros(1, 2, 8, 8, 8))


def test_an_onnx_file_has_the_labels_of_its_network_and_only_queries_attack_it(
    files: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    model = OnnxModel(files["onnx"], INPUTS, WINDOWS, OUTPUTS, threads=1)
    assert not model.differentiable
    assert model.identity.options["differentiable"] is False
    case = model.prepare(write_case(tmp_path))
    expected = TorchModule(seeded(), INPUTS, WINDOWS, OUTPUTS).logits(case.inputs)
    assert torch.allclose(model.logits(case.inputs), expected, atol=1e-5)
    assert case.targets is not None
    result = Square(num_queries=4)(
        model.model,
        case.inputs,
        case.targets,
        LinfThreat.from_fraction(8 / 255, case.box),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    assert result.num_backward == 0
    assert result.distance.item() > 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"windows": {"size": [8, 8, 6]}},
            r"net\.onnx: its input is \[1, 1, 8, 8, 8\], which .* windows\.size, 6",
        ),
        ({"inputs": {**INPUTS, "channels": ["T1", "T2"]}}, r"does not fit inputs\.channels, 2"),
        ({"outputs": {**OUTPUTS, "key": "aux"}}, r"outputs\.key is 'aux'"),
    ],
)
def test_an_onnx_file_that_does_not_fit_is_refused(files: dict[str, Path], changes: dict[str, Any], said: str) -> None:
    pytest.importorskip("onnxruntime")
    settings = {"inputs": INPUTS, "windows": WINDOWS, "outputs": OUTPUTS, **changes}
    with pytest.raises(ValueError, match=said):
        OnnxModel(files["onnx"], **settings).logits(torch.zeros(WINDOW))


def test_damage_and_tensors_elsewhere_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    (tmp_path / "junk.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"junk\.onnx: not an ONNX file"):
        OnnxModel(tmp_path / "junk.onnx", INPUTS, WINDOWS, OUTPUTS)
    model = onnx.load(str(files["onnx"]))
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location="../../etc/passwd")
    model.graph.initializer[0].ClearField("raw_data")
    (tmp_path / "away.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"away\.onnx: '\.\./\.\./etc/passwd' cannot name a file"):
        OnnxModel(tmp_path / "away.onnx", INPUTS, WINDOWS, OUTPUTS)


def test_the_one_output_of_an_onnx_file_may_be_named_or_numbered_or_neither(files: dict[str, Path]) -> None:
    pytest.importorskip("onnxruntime")
    window = torch.randn(WINDOW, generator=torch.Generator().manual_seed(0))
    expected = OnnxModel(files["onnx"], INPUTS, WINDOWS, OUTPUTS, threads=1).logits(window)
    for key in (0, "logits"):
        named = OnnxModel(files["onnx"], INPUTS, WINDOWS, {**OUTPUTS, "key": key}, threads=1)
        assert torch.equal(named.logits(window), expected)
    with pytest.raises(ValueError, match=r"outputs\.key is 'logit', and the network gives a dict with \{'logits': "):
        OnnxModel(files["onnx"], INPUTS, WINDOWS, {**OUTPUTS, "key": "logit"}, threads=1).logits(window)


def test_a_missing_extra_is_named(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ValueError, match=r"needs onnx, which is not installed: pip install 'rogseg\[onnx\]'"):
        OnnxModel(files["onnx"], INPUTS, WINDOWS, OUTPUTS)
