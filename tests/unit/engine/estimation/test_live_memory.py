import pytest
import torch

from rogseg.engine.estimation.live_memory import LiveMemory


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
