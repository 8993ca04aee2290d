"""A local change, evaluated locally, equals a full evaluation."""

import pytest
import torch
from torch import Tensor

from rogseg.inference.region_update import CachedVolumeLogits
from rogseg.inference.sliding_window import VolumeLogits
from rogseg.task_plan import Triple
from tests.unit.inference.test_sliding_window import WINDOW, make_network


def random_region(size: Triple, generator: torch.Generator) -> tuple[slice, slice, slice]:
    cuts = []
    for length in size:
        extent = int(torch.randint(1, min(length, 5) + 1, (), generator=generator))
        start = int(torch.randint(0, length - extent + 1, (), generator=generator))
        cuts.append(slice(start, start + extent))
    return cuts[0], cuts[1], cuts[2]


@pytest.mark.parametrize("size", [(21, 9, 13), (5, 15, 8), (6, 5, 7)])
@pytest.mark.parametrize("window_batch", [1, 2])
def test_proposals_equal_full_evaluations(size: Triple, window_batch: int) -> None:
    generator = torch.Generator().manual_seed(0)
    network = make_network().float()
    volume_logits = VolumeLogits(network, WINDOW, window_batch=window_batch)
    current = torch.randn(1, 2, *size, generator=generator)
    cache = CachedVolumeLogits(volume_logits, current)
    torch.testing.assert_close(cache.logits, volume_logits(current), rtol=0, atol=0)
    # A batch of windows of another size may be summed in another order inside the network.
    tolerance = 0 if window_batch == 1 else 1e-6
    for step in range(12):
        region = random_region(size, generator)
        candidate = current.clone()
        candidate[(..., *region)] += torch.randn(candidate[(..., *region)].shape, generator=generator)
        logits = cache.propose(candidate[(..., *region)], region)
        torch.testing.assert_close(logits, volume_logits(candidate), rtol=0, atol=tolerance)
        if step % 3:
            cache.accept()
            current = candidate
        else:
            cache.reject()
        torch.testing.assert_close(cache.logits, volume_logits(current), rtol=0, atol=tolerance)


def test_only_touched_windows_are_evaluated() -> None:
    calls = 0
    network = make_network()

    def counted(windows: Tensor) -> Tensor:
        nonlocal calls
        calls += windows.shape[0]
        logits: Tensor = network(windows)
        return logits

    inputs = torch.zeros(1, 2, 24, 18, 24, dtype=torch.float64)
    cache = CachedVolumeLogits(VolumeLogits(counted, WINDOW), inputs)
    assert calls == cache.num_windows == 5**3
    region = (slice(0, 3), slice(8, 9), slice(10, 14))
    cache.propose(torch.ones(1, 2, 3, 1, 4, dtype=torch.float64), region)
    assert calls - 5**3 == cache.num_touched(region) == 1 * 2 * 3


def test_misuse_is_named() -> None:
    cache = CachedVolumeLogits(VolumeLogits(make_network(), WINDOW), torch.zeros(1, 2, 9, 9, 9).double())
    region = (slice(0, 2), slice(0, 2), slice(0, 2))
    with pytest.raises(ValueError, match="no proposal"):
        cache.accept()
    with pytest.raises(ValueError, match="do not fit"):
        cache.propose(torch.zeros(1, 2, 1, 2, 2).double(), region)
    cache.propose(torch.zeros(1, 2, 2, 2, 2).double(), region)
    with pytest.raises(ValueError, match="is open"):
        cache.propose(torch.zeros(1, 2, 2, 2, 2).double(), region)
    with pytest.raises(ValueError, match=r"\(1, C, D, H, W\)"):
        CachedVolumeLogits(VolumeLogits(make_network(), WINDOW), torch.zeros(2, 2, 9, 9, 9).double())
