"""Replayed passes are the network's own; on a CPU the bookkeeping is tried with a stand-in for the graphs."""

import contextlib

import pytest
import torch
from torch import Tensor

from rogseg.inference import VolumeLogits
from rogseg.inference.graph_replay import GraphReplay, _Recorded, _Replayed

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


def replayed(inputs: Tensor, graphs: "FakeGraphs") -> Tensor:
    logits: Tensor = _Replayed.apply(inputs, graphs)  # type: ignore[no-untyped-call]
    return logits


def network(inputs: Tensor) -> Tensor:
    """Two classes, with a gradient that depends on the place."""
    return torch.cat([inputs**3, torch.sin(inputs)], dim=1)


class FakeGraphs:
    """What `_Recorded` does, without graphs: one set of tensors that every pass overwrites."""

    def __init__(self) -> None:
        self.replays = 0
        self.inputs = torch.zeros(1, 1, 2, 2, 2)
        self.logits = torch.zeros(1, 2, 2, 2, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        self.replays += 1
        self.inputs.copy_(inputs)
        self.logits.copy_(network(inputs))
        return self.logits.clone()

    def backward(self, upstream: Tensor) -> Tensor:
        with torch.enable_grad():
            inputs = self.inputs.clone().requires_grad_()
            return torch.autograd.grad(network(inputs), inputs, upstream)[0]


def test_backward_of_an_earlier_pass_gives_the_gradient_of_its_own_inputs() -> None:
    first, second = (torch.randn(1, 1, 2, 2, 2, requires_grad=True) for _ in range(2))
    graphs = FakeGraphs()
    logits, later = (replayed(inputs, graphs) for inputs in (first, second))
    upstream = torch.randn_like(logits)
    for inputs, got in ((first, logits), (second, later), (first, logits)):
        (expected,) = torch.autograd.grad(network(inputs), inputs, upstream)
        (gradient,) = torch.autograd.grad(got, inputs, upstream, retain_graph=True)
        torch.testing.assert_close(gradient, expected)


def test_backward_after_the_last_pass_replays_nothing_forward() -> None:
    inputs = torch.randn(1, 1, 2, 2, 2, requires_grad=True)
    graphs = FakeGraphs()
    logits = replayed(inputs, graphs)
    for _ in range(2):
        torch.autograd.grad(logits, inputs, torch.ones_like(logits), retain_graph=True)
    assert graphs.replays == 1


def test_a_graph_that_recorded_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = contextlib.nullcontext

    class Stream:
        def wait_stream(self, other: object) -> None:
            pass

    class Graph:
        def pool(self) -> None:
            pass

        def replay(self) -> None:
            pass

    for name, stand_in in {
        "Stream": Stream, "CUDAGraph": Graph, "current_stream": Stream, "set_stream": lambda stream: None,
        "stream": nothing, "device": nothing, "graph": lambda *args, **options: nothing(),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, stand_in)
    with pytest.raises(RuntimeError, match="logits and those of a replay differ"):
        _Recorded(network, torch.ones(1, 1, 2, 2, 2), True)


def test_on_a_cpu_the_network_is_called_as_it_is() -> None:
    replay = GraphReplay(network)
    inputs = torch.randn(1, 1, 2, 2, 2, requires_grad=True)
    torch.testing.assert_close(replay(inputs), network(inputs), rtol=0, atol=0)
    assert not replay._recorded


@needs_gpu
@pytest.mark.parametrize("size", [(4, 4, 4), (7, 5, 4)])
def test_volume_logits_and_their_gradient_are_those_of_the_plain_network(size: tuple[int, int, int]) -> None:
    inputs = torch.randn(2, 1, *size, device="cuda", requires_grad=True)
    results = []
    for cuda_graphs in (False, True):
        logits = VolumeLogits(network, (4, 4, 4), cuda_graphs=cuda_graphs)(inputs)
        results.append((logits, *torch.autograd.grad(logits.square().sum(), inputs)))
    torch.testing.assert_close(results[1], results[0])


@needs_gpu
def test_logits_and_gradients_that_are_kept_are_not_overwritten() -> None:
    replay = GraphReplay(network)
    first, second = (torch.randn(1, 1, 2, 2, 2, device="cuda", requires_grad=True) for _ in range(2))
    logits = replay(first)
    (gradient,) = torch.autograd.grad(logits.sum(), first)
    torch.autograd.grad(replay(second).sum(), second)
    torch.testing.assert_close(logits, network(first))
    torch.testing.assert_close(gradient, torch.autograd.grad(network(first).sum(), first)[0])


@needs_gpu
def test_what_was_recorded_in_inference_mode_serves_an_attack() -> None:
    replay = GraphReplay(network)
    inputs = torch.randn(1, 1, 2, 2, 2, device="cuda")
    with torch.inference_mode():
        replay(inputs)
    with torch.no_grad():
        torch.testing.assert_close(replay(2 * inputs), network(2 * inputs))


@needs_gpu
@pytest.mark.parametrize(
    "unfit",
    [
        pytest.param(lambda inputs: network(inputs) * (2 if inputs.sum() > 0 else 1), id="decides by values"),
        pytest.param(lambda inputs: network(inputs) + torch.rand_like(inputs), id="draws at random"),
    ],
)
def test_a_network_that_cannot_be_replayed_runs_as_it_is(unfit) -> None:  # type: ignore[no-untyped-def]
    replay = GraphReplay(unfit)
    with pytest.warns(UserWarning, match="CUDA graphs do not serve this network"):
        replay(torch.ones(1, 1, 2, 2, 2, device="cuda"))
    torch.manual_seed(0)
    got = replay(-torch.ones(1, 1, 2, 2, 2, device="cuda"))
    torch.manual_seed(0)
    torch.testing.assert_close(got, unfit(-torch.ones(1, 1, 2, 2, 2, device="cuda")))
