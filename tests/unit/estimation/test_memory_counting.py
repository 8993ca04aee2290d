from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rogseg.estimation.memory_counting import LiveMemory, free_machine_memory, saved_bytes

VOXELS = 4 * 5 * 6


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_peak_is_what_lives_at_one_time(device: str) -> None:
    with LiveMemory() as live:
        first = torch.zeros(1000, device=device)
        second = first + 1
        assert live.current == 8000
        del first
        third = second + 1  # noqa: F841 (lives until the end)
        second.add_(1)
        view = second[5:]  # noqa: F841 (no memory of its own)
        assert live.current == 8000
    assert live.peak == 8000


def test_backward_passes_count_and_what_is_left_out_does_not() -> None:
    leaf = torch.zeros(1000, requires_grad=True)
    with LiveMemory((leaf,)) as live:
        torch.autograd.backward((leaf * 1).sum())
    # The gradient alone stays: a gradient expanded from the scalar has no memory of its own.
    assert live.current == 4000
    assert 4000 <= live.peak <= 8008


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_network_whose_saved_tensors_are_known(device: str) -> None:
    network = nn.Sequential(
        nn.Conv3d(1, 2, 3, padding=1, bias=False), nn.SiLU(), nn.Conv3d(2, 3, 1, bias=False)
    ).to(device)  # fmt: skip
    inputs = torch.zeros(1, 1, 4, 5, 6, device=device)
    saved, result = saved_bytes(lambda: network(inputs).sum(), network.parameters())
    # The inputs of both convolutions and of swish; the sum keeps nothing.
    assert saved == 4 * VOXELS * (1 + 2 + 2)
    assert result.shape == ()


def test_a_storage_counts_once_and_whole() -> None:
    leaf = torch.zeros(1000, requires_grad=True)

    def product_of_views() -> Tensor:
        doubled = leaf * 2
        return (doubled[:10] * doubled[10:20]).sum() + (doubled * doubled).sum()

    saved, _ = saved_bytes(product_of_views)
    assert saved == 4 * 1000


def test_without_gradients_nothing_is_saved() -> None:
    network = nn.Conv3d(1, 2, 3).requires_grad_(False)
    assert saved_bytes(lambda: network(torch.zeros(1, 1, 4, 4, 4)))[0] == 0


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux tells")
def test_free_memory_is_that_of_the_system() -> None:
    free = free_machine_memory()
    assert free is not None
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert 0 < free <= total
