"""Windows against MONAI's own sliding window inference, their gradient against plain autograd through it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from rogseg.systems import TorchModule
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, seeded

inferers = pytest.importorskip("monai.inferers")

SHAPE = (13, 8, 19)


def monai_logits(network: Any, inputs: Tensor, windows: dict[str, Any]) -> Tensor:
    found: Tensor = inferers.sliding_window_inference(
        inputs,
        windows["size"],
        sw_batch_size=3,
        predictor=network,
        overlap=windows.get("overlap", 0.5),
        mode=windows.get("blend", "gaussian"),
        sigma_scale=windows.get("sigma_scale", 0.125),
    )
    return found


@pytest.mark.parametrize(
    ("shape", "windows"),
    [
        (SHAPE, {"size": [8, 8, 8]}),
        (SHAPE, {"size": [8, 8, 8], "blend": "constant", "overlap": 0.25}),
        (SHAPE, {"size": [6, 8, 5], "overlap": 0.6, "batch": 4, "sigma_scale": 0.3}),
        ((5, 9, 12), {"size": [8, 8, 8]}),  # padded along one axis
    ],
)
def test_logits_and_gradient_equal_those_of_monai(shape: tuple[int, int, int], windows: dict[str, Any]) -> None:
    network = seeded().double()
    system = TorchModule(network, INPUTS, windows, OUTPUTS)
    inputs = torch.randn(1, 1, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    pull = torch.randn(1, 3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients, logits = [], []
    for model in (system.model, lambda volume: monai_logits(network, volume, windows)):
        leaf = inputs.clone().requires_grad_()
        logits.append(model(leaf))
        gradients.append(torch.autograd.grad(logits[-1], leaf, pull)[0])
    assert (logits[0] - logits[1]).abs().max() < 1e-12
    assert (gradients[0] - gradients[1]).abs().max() < 1e-10
    assert gradients[0].abs().max() > 1e-2


def test_a_whole_volume_is_padded_to_the_multiple_that_its_network_needs() -> None:
    seen = []

    class Halving(torch.nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            seen.append(tuple(inputs.shape[2:]))
            return torch.cat([inputs, -inputs, 2 * inputs], 1)

    system = TorchModule(Halving(), INPUTS, {"multiple_of": 4}, OUTPUTS)
    inputs = torch.randn(1, 1, 5, 8, 7)
    assert torch.equal(system.logits(inputs), torch.cat([inputs, -inputs, 2 * inputs], 1))
    assert seen == [(8, 8, 8)] * 2  # the first window is asked for twice
    assert system.window_size is None


@pytest.mark.parametrize("windows", [{"size": [8, 8]}, {"size": [8, 8, 0]}, {"overlap": 1.0}, {"sise": [8, 8, 8]}])
def test_windows_that_make_no_sense_are_refused_by_name(windows: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"system\.windows"):
        TorchModule(seeded(), INPUTS, windows, OUTPUTS)


class NormedNetwork(torch.nn.Module):
    """Ends in its activation, and sees other values of a voxel in each window."""

    def __init__(self, form: str, out_channels: int) -> None:
        super().__init__()
        self.norm, self.network = torch.nn.InstanceNorm3d(1), seeded(form=form, out_channels=out_channels)

    def forward(self, inputs: torch.Tensor) -> Any:
        return self.network(self.norm(inputs))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_are_blended_as_such_and_become_logits_afterwards(activation: str) -> None:
    network = NormedNetwork(activation, 3 if activation == "softmax" else 2).eval()
    classes = [{"name": "whole", "values": [1, 2], "writes": 1}, {"name": "core", "values": [2]}]
    outputs = {"classes": ["organ", "lesion"] if activation == "softmax" else classes, "probabilities": True}
    system = TorchModule(network, INPUTS, {"size": [8, 8, 8]}, {**outputs, "activation": activation})
    volume = torch.randn(1, 1, 11, 10, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    expected = monai_logits(lambda inputs: network(inputs).clone(), volume, {"size": [8, 8, 8]})
    logits = system.logits(volume)
    found = logits.softmax(1) if activation == "softmax" else logits.sigmoid()
    assert torch.allclose(found, expected, atol=1e-6)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (naive,) = torch.autograd.grad((expected * weights).sum(), volume)
    (gradient,) = torch.autograd.grad((found * weights).sum(), volume)
    assert torch.allclose(gradient, naive, atol=1e-5 * float(naive.abs().max()))
    opened = system._logits.open_case(volume.detach())  # type: ignore[attr-defined]
    assert torch.allclose(opened.logits, logits, atol=1e-4)


@pytest.mark.parametrize("windows", [{"size": [8, 8, 8]}, {"size": [16, 16, 16]}, {}])
def test_logits_have_the_precision_of_the_volume_whatever_the_network_gives(windows: dict[str, Any]) -> None:
    class Half(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs.expand(-1, 3, -1, -1, -1).half()

    system = TorchModule(Half(), INPUTS, windows, OUTPUTS)
    assert system.logits(torch.randn(1, 1, 11, 10, 8)).dtype == torch.float32
