"""What a network of one's own does is part of its identity: its layers, its code, and what its inputs go through."""

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.systems import TorchModule, TorchProgram
from rogseg.systems.any_network.torch_module import digest_of_module
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, TinyNetwork, seeded, write_case

MINE = """
from torch import nn

def make():
    return nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 3, 1))

def scale(values):
    return values / 1000
"""
FUNCTION = {"type": "Function", "call": "mine_of_test.scale", "lower": [-9.0], "upper": [9.0]}


def test_a_layer_without_weights_counts() -> None:
    first, last = nn.Conv3d(1, 4, 1), nn.Conv3d(4, 3, 1)
    digests = {digest_of_module(nn.Sequential(first, between, last)) for between in (nn.ReLU(), nn.Sigmoid())}
    assert len(digests) == 2


def test_the_code_of_a_maker_and_of_a_function_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    digests: dict[str, list[str]] = {"by name": [], "as it is": []}
    for text in (MINE, MINE.replace("/ 1000", "/ 2000"), MINE):
        (tmp_path / "mine_of_test.py").write_text(text)
        importlib.invalidate_caches()
        sys.modules.pop("mine_of_test", None)
        module = importlib.import_module("mine_of_test").make()
        for value in module.parameters():
            nn.init.ones_(value)
        torch.save(module.state_dict(), tmp_path / "w.pth")
        for form, network in (("by name", "mine_of_test.make"), ("as it is", module)):
            weights = str(tmp_path / "w.pth")
            inputs = {**INPUTS, "intensity": [FUNCTION]}
            digests[form].append(TorchModule(network, inputs, WINDOWS, OUTPUTS, weights=weights).identity.digest)
    sys.modules.pop("mine_of_test", None)
    for first, changed, again in digests.values():
        assert first == again != changed


def test_the_code_of_a_function_counts_for_a_program_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(seeded().eval(), torch.zeros(1, 1, 8, 8, 8)), tmp_path / "net.ts")  # type: ignore[no-untyped-call]
    digests = []
    for text in (MINE, MINE.replace("/ 1000", "/ 2000"), MINE):
        (tmp_path / "mine_of_test.py").write_text(text)
        importlib.invalidate_caches()
        sys.modules.pop("mine_of_test", None)
        inputs = {**INPUTS, "intensity": [FUNCTION]}
        program = TorchProgram(tmp_path / "net.ts", inputs, WINDOWS, OUTPUTS, trust=True)
        digests.append(program.identity.digest)
    sys.modules.pop("mine_of_test", None)
    assert digests[0] == digests[2] != digests[1]


def test_a_function_among_the_arguments_is_the_same_in_the_next_run() -> None:
    def make(act: Callable[[Tensor], Tensor]) -> nn.Module:
        return seeded()

    options = [
        TorchModule(make, INPUTS, WINDOWS, OUTPUTS, arguments={"act": lambda values: values}).identity.options
        for _ in range(2)
    ]
    assert options[0] == options[1]
    assert "0x" not in str(options)


class InPlace(TinyNetwork):
    """Subtracts the mean from what it is given, in its place."""

    def forward(self, inputs: Tensor) -> Tensor:
        inputs -= inputs.mean()
        logits: Tensor = super().forward(inputs)
        return logits


class InPlacePastAutograd(TinyNetwork):
    """The same in a way that leaves the version of the tensor as it was."""

    def forward(self, inputs: Tensor) -> Tensor:
        inputs.detach().numpy()[...] -= 0.1
        logits: Tensor = super().forward(inputs)
        return logits


@pytest.mark.parametrize("kind", [InPlace, InPlacePastAutograd])
@pytest.mark.parametrize("windows", [WINDOWS, {}])
def test_a_network_that_changes_its_input_is_refused(
    tmp_path: Path, windows: dict[str, object], kind: type[TinyNetwork]
) -> None:
    network = kind()
    network.load_state_dict(seeded().state_dict())
    system = TorchModule(network, INPUTS, windows, OUTPUTS)
    case = system.prepare(write_case(tmp_path))
    with torch.no_grad(), pytest.raises(ValueError, match=r"changes its input in place.*inputs\.clone"):
        system.logits(case.inputs)


class Draws(TinyNetwork):
    """Dropout that no mode switches off."""

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = super().forward(functional.dropout(inputs, 0.5))
        return logits


def test_a_network_of_another_answer_each_time_is_refused(tmp_path: Path) -> None:
    system = TorchModule(Draws(), INPUTS, WINDOWS, OUTPUTS)
    case = system.prepare(write_case(tmp_path))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"another answer each time, .* switch that off"):
            system.segment(case)


class NeverEvaluates(TinyNetwork):
    """Dropout that is switched off by the mode, which the network's own ``train`` keeps as it is."""

    def train(self, mode: bool = True) -> "NeverEvaluates":
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = super().forward(functional.dropout(inputs, 0.5, training=self.training))
        return logits


def test_a_network_is_in_evaluation_mode_whatever_its_own_train_does(tmp_path: Path) -> None:
    system = TorchModule(NeverEvaluates(), INPUTS, WINDOWS, OUTPUTS)
    case = system.prepare(write_case(tmp_path))
    assert np.array_equal(system.segment(case), system.segment(case))
