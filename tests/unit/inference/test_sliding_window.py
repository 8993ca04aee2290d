"""VolumeLogits against the same blend written plainly, under plain autograd."""

import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.inference.sliding_window import VolumeLogits
from rogseg.task_plan import Triple

WINDOW = (8, 6, 8)


def make_network(*, channels: int = 2, num_classes: int = 3) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(channels, 4, 3, padding=1), nn.InstanceNorm3d(4), nn.SiLU(), nn.Conv3d(4, num_classes, 1)
    )
    return network.double().requires_grad_(False)


def plain_blend(network: nn.Module, inputs: Tensor, volume_logits: VolumeLogits) -> Tensor:
    """Whole graph at once, sum of weighted windows over sum of weights."""
    padding = volume_logits.padding(inputs.shape[2:])
    padded = nn.functional.pad(inputs, padding)
    grid = volume_logits.grid(padded.shape[2:])
    positions = [torch.arange(n, dtype=torch.float64) - (n - 1) / 2 for n in WINDOW]
    bells = [torch.exp(-0.5 * (p / (0.125 * n)) ** 2) for p, n in zip(positions, WINDOW, strict=True)]
    bell = torch.einsum("i,j,k->ijk", *bells)
    total = torch.zeros(padded.shape[2:], dtype=torch.float64)
    blended = torch.zeros(inputs.shape[0], 3, *padded.shape[2:], dtype=torch.float64)
    for index in grid.indices:
        region = grid.region(index)
        part = torch.zeros_like(blended)
        part[(..., *region)] = bell * network(padded[(..., *region)])
        blended = blended + part
        total[region] += bell
    x, y, z = padding[4], padding[2], padding[0]
    depth, height, width = inputs.shape[2:]
    return (blended / total)[..., x : x + depth, y : y + height, z : z + width]


@pytest.mark.parametrize("size", [(19, 9, 13), (8, 6, 8), (5, 15, 8), (6, 5, 7)])
@pytest.mark.parametrize("window_batch", [1, 3])
def test_values_and_gradient_equal_plain_autograd(size: Triple, window_batch: int) -> None:
    network = make_network()
    inputs = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
    volume_logits = VolumeLogits(network, WINDOW, window_batch=window_batch)
    logits, expected = volume_logits(inputs), plain_blend(network, inputs, volume_logits)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-10)
    (gradient,) = torch.autograd.grad((logits**3).sum(), inputs)
    (expected_gradient,) = torch.autograd.grad((expected**3).sum(), inputs)
    torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1e-10)


def test_a_constant_network_is_blended_to_itself() -> None:
    logits = VolumeLogits(lambda windows: torch.full_like(windows, 1.5), (8, 8, 8), 0.6)(torch.zeros(1, 1, 21, 30, 9))
    torch.testing.assert_close(logits, torch.full_like(logits, 1.5))


def test_cases_of_a_batch_do_not_touch_each_other() -> None:
    volume_logits = VolumeLogits(make_network(), WINDOW, window_batch=2)
    inputs = torch.randn(3, 2, 12, 9, 13, dtype=torch.float64)
    alone = torch.cat([volume_logits(case[None]) for case in inputs])
    torch.testing.assert_close(volume_logits(inputs), alone, rtol=0, atol=1e-12)


def test_backward_under_autocast_repeats_the_forward_precision() -> None:
    network = make_network().float()
    seen: list[torch.dtype] = []

    def watched(windows: Tensor) -> Tensor:
        logits: Tensor = network(windows)
        seen.append(logits.dtype)
        return logits

    inputs = torch.randn(1, 2, 12, 6, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = VolumeLogits(watched, WINDOW)(inputs)
    torch.autograd.grad(logits.sum(), inputs)
    assert logits.dtype == torch.float32
    assert seen == [torch.bfloat16] * 4


def test_memory_of_the_graph_does_not_grow_with_the_volume() -> None:
    peaks = []
    model = make_network()
    for depth in (16, 64):
        held, peak = 0, 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal held, peak
            held += tensor.numel()
            peak = max(peak, held)
            return tensor

        def network(windows: Tensor) -> Tensor:
            nonlocal held
            held = 0
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                logits: Tensor = model(windows)
            return logits

        inputs = torch.randn(1, 2, depth, 6, 8, dtype=torch.float64, requires_grad=True)
        torch.autograd.grad(VolumeLogits(network, WINDOW)(inputs).sum(), inputs)
        peaks.append(peak)
    assert peaks[0] == peaks[1] > 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda windows: (windows, windows), "one tensor of logits, it returned tuple"),
        (lambda windows: windows[..., ::2], "same B and spatial shape"),
    ],
)
def test_a_model_that_gives_something_else_is_named(model, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        VolumeLogits(model, (4, 4, 4))(torch.zeros(1, 1, 8, 8, 8))


@pytest.mark.parametrize(("overlap", "window_batch", "name"), [(1.0, 1, "overlap"), (0.5, 0, "window_batch")])
def test_bad_options_are_refused(overlap: float, window_batch: int, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        VolumeLogits(make_network(), WINDOW, overlap, window_batch=window_batch)


def test_several_networks_are_averaged_exactly_with_the_graph_of_one() -> None:
    networks = [make_network(), make_network()]
    for weight in networks[1].parameters():
        weight.mul_(-0.7)
    alive, most = 0, 0

    def counted(network: nn.Module) -> Callable[[Tensor], Tensor]:
        def call(windows: Tensor) -> Tensor:
            nonlocal alive, most
            logits: Tensor = network(windows)
            if logits.requires_grad:
                alive += 1
                most = max(most, alive)
                weakref.finalize(logits, release)
            return logits

        return call

    def release() -> None:
        nonlocal alive
        alive -= 1

    for size in [(8, 6, 8), (19, 9, 13)]:
        inputs = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
        logits = VolumeLogits([counted(network) for network in networks], WINDOW)(inputs)
        expected = sum(plain_blend(network, inputs, VolumeLogits(network, WINDOW)) for network in networks) / 2
        assert isinstance(expected, Tensor)
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-10)
        (gradient,) = torch.autograd.grad((logits**3).sum(), inputs)
        (expected_gradient,) = torch.autograd.grad((expected**3).sum(), inputs)
        torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1e-10)
    assert most == 1


def test_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        VolumeLogits([], WINDOW)


def test_mirrored_copies_are_averaged_with_their_exact_gradient() -> None:
    """Of a convolution the mean over the mirrored copies is the convolution by the symmetrised kernel."""
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(2, 1, 3, 3, 3, generator=generator)
    symmetric = torch.stack([kernel.flip([axis + 2 for axis in axes]) for axes in ((), (0,), (2,), (0, 2))]).mean(0)
    inputs = torch.randn(1, 1, 7, 8, 9, generator=generator).requires_grad_()
    mirrored = VolumeLogits(
        lambda windows: functional.conv3d(windows, kernel, padding=1), (5, 6, 9), mirror_axes=(2, 0), window_batch=2
    )
    plain = VolumeLogits(lambda windows: functional.conv3d(windows, symmetric, padding=1), (5, 6, 9))
    torch.testing.assert_close(mirrored(inputs), plain(inputs))
    found, expected = (torch.autograd.grad(one(inputs).square().sum(), inputs)[0] for one in (mirrored, plain))
    torch.testing.assert_close(found, expected)
    assert mirrored.mirror_axes == (0, 2)
    for axes in ((0, 0), (3,)):
        with pytest.raises(ValueError, match="mirror_axes"):
            VolumeLogits(lambda windows: windows, (5, 6, 9), mirror_axes=axes)


def test_a_network_without_a_gradient_is_named() -> None:
    inputs = torch.randn(1, 1, 6, 4, 4, requires_grad=True)
    logits = VolumeLogits(lambda windows: torch.cat([windows, -windows], 1).detach(), (4, 4, 4))(inputs)
    with pytest.raises(ValueError, match="no gradient for its inputs"):
        torch.autograd.grad(logits.sum(), inputs)


def test_backward_runs_in_the_precision_of_its_forward_pass() -> None:
    torch.manual_seed(0)
    convolution = torch.nn.Conv3d(1, 2, 3, padding=1)
    inputs = torch.randn(1, 1, 6, 4, 4, requires_grad=True)
    gradients: list[torch.Tensor] = []
    for under_autocast in (False, True):
        logits = VolumeLogits(convolution, (4, 4, 4))(inputs)
        with torch.autocast("cpu", enabled=under_autocast):
            gradients += torch.autograd.grad(logits.square().sum(), inputs)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0, atol=0)
