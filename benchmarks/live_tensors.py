"""The memory that a call holds in tensors, counted and so the same on every machine."""

import gc
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.measuring import on_gpu, peak, reset_peak
from rogseg.estimation.memory_counting import LiveMemory

__all__ = ["peak_bytes"]


def peak_bytes(call: Callable[[], object], known: Sequence[Tensor], device: str | torch.device) -> int:
    """Most bytes of tensors alive at once during a call; on a GPU its allocator's peak.

    Args:
        call: what is measured.
        known: tensors that live throughout the call and count.
        device: where it runs.
    """
    gc.collect()
    if on_gpu(device):
        reset_peak(device)
        call()
        torch.cuda.synchronize()
        return peak(device)
    with LiveMemory(tuple(known)) as live:
        call()
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in known}
    return sum(storages.values()) + live.peak
