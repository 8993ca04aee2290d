"""The gradient through windows, folds and mirrored copies against plain autograd, and what it holds in memory."""

import itertools
import math
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rogseg.systems import NNUNetSystem
from tests.unit.systems.nnunet.tiny_folder import tiny_plans, write_folder

pytest.importorskip("nnunetv2")

PATCH = (8, 12, 8)


def starts(length: int, extent: int) -> list[int]:
    count = math.ceil((length - extent) / (extent / 2)) + 1
    return [round(place) for place in torch.linspace(0, length - extent, count).tolist()]


def plain_logits(networks: list[nn.Module], axes: tuple[int, ...], inputs: Tensor, *, slices: bool) -> Tensor:
    """The whole graph at once: folds of windows of mirrored copies, summed as they are described."""
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    patch = PATCH[1:] if slices else PATCH
    bell = compute_gaussian(patch, 1 / 8, 10, device=torch.device("cpu")).clone().double()
    places = [starts(length, extent) for length, extent in zip(inputs.shape[-len(patch) :], patch, strict=True)]
    sets = [chosen for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count)]
    volumes = [inputs[:, :, depth] for depth in range(inputs.shape[2])] if slices else [inputs]
    parts = []
    for volume in volumes:
        summed = torch.zeros(1, dtype=torch.float64)
        total = torch.zeros(volume.shape[2:], dtype=torch.float64)
        for corner in itertools.product(*places):
            cut: Any = tuple(slice(start, start + size) for start, size in zip(corner, patch, strict=True))
            padding = [
                side
                for start, extent, length in reversed(list(zip(corner, patch, volume.shape[2:], strict=True)))
                for side in (start, length - start - extent)
            ]
            total[cut] += bell
            for network, chosen in itertools.product(networks, sets):
                dims = [axis + 2 for axis in chosen]
                logits = torch.flip(network(torch.flip(volume[(..., *cut)], dims)), dims)
                summed = summed + nn.functional.pad(logits * bell, padding)
        parts.append(summed / total / (len(networks) * len(sets)))
    return torch.stack(parts, dim=2) if slices else parts[0]


@pytest.mark.parametrize(("dimensions", "axes"), [(3, (0, 1, 2)), (3, ()), (2, (0, 1))])
def test_values_and_gradient_equal_plain_autograd(dimensions: int, axes: tuple[int, ...], tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", tiny_plans(dimensions=dimensions), folds=[0, 1], axes=axes)
    system = NNUNetSystem(folder)
    for network in system.networks:
        network.double()
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(1, 1, 9 if dimensions == 3 else 2, 17, 8, generator=generator, dtype=torch.float64)
    inputs.requires_grad_()
    logits = system.logits(inputs)
    expected = plain_logits(list(system.networks), axes, inputs, slices=dimensions == 2)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-10)
    direction = torch.randn(logits.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((logits * direction).sum(), inputs)
    (expected_gradient,) = torch.autograd.grad((expected * direction).sum(), inputs)
    torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1e-10)
    assert gradient.abs().max() > 1e-3


def test_one_graph_is_held_whatever_the_windows_folds_and_copies(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net", folds=[0, 1]))
    alive, most, graphs = 0, 0, 0

    def release() -> None:
        nonlocal alive
        alive -= 1

    def watch(module: nn.Module, args: tuple[Tensor, ...], logits: Tensor) -> None:
        nonlocal alive, most, graphs
        if logits.requires_grad:
            alive, graphs = alive + 1, graphs + 1
            most = max(most, alive)
            weakref.finalize(logits, release)

    for network in system.networks:
        network.register_forward_hook(watch)
    for size, windows in [((8, 12, 8), 1), ((12, 18, 9), 8)]:
        graphs = 0
        inputs = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0)).requires_grad_()
        torch.autograd.grad(system.logits(inputs).sum(), inputs)
        assert graphs == windows * 8 * 2
    assert most == 1


def test_the_square_attack_finds_single_windows_to_evaluate(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net", axes=(0,)))
    inputs = torch.randn(1, 1, 17, 13, 9, generator=torch.Generator().manual_seed(0))
    opened = system.model.open_case(inputs)  # type: ignore[attr-defined]
    torch.testing.assert_close(opened.logits, system.logits(inputs), rtol=0, atol=1e-6)
    region = (slice(1, 3), slice(2, 4), slice(0, 9))
    changed = inputs.clone()
    changed[(..., *region)] = 2.0
    proposed = opened.propose(changed[(..., *region)], region)
    torch.testing.assert_close(proposed, system.logits(changed), rtol=0, atol=1e-5)
    assert opened.num_touched(region) < opened.num_windows
