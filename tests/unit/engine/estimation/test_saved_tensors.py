import pytest
import torch
from torch import Tensor, nn

from rogseg.engine.estimation.saved_tensors import saved_bytes

VOXELS = 4 * 5 * 6


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
