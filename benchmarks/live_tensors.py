"""The memory that a call holds in tensors, counted and so the same on every machine."""

import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.measuring import on_gpu, peak, reset_peak

__all__ = ["LiveTensors", "peak_bytes"]


class LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all storages that live, and their peak, whatever device they are on."""

    def __init__(self, known: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.storages: dict[int, int] = {}
        self.current = self.peak = 0
        for tensor in known:
            self.follow(tensor)

    def follow(self, tensor: Tensor) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.storages:
            return
        self.storages[key] = size
        self.current += size
        self.peak = max(self.peak, self.current)
        weakref.finalize(storage, self.forget, key)

    def forget(self, key: int) -> None:
        """A storage was freed."""
        self.current -= self.storages.pop(key, 0)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and follow what it returns."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.follow(leaf)
        return result


def peak_bytes(call: Callable[[], object], known: Sequence[Tensor], device: str | torch.device) -> int:
    """Most bytes of tensors alive at once during a call; on a GPU its allocator's peak.

    Args:
        call: what is measured.
        known: tensors that live before the call and count.
        device: where it runs.
    """
    gc.collect()
    if on_gpu(device):
        reset_peak(device)
        call()
        torch.cuda.synchronize()
        return peak(device)
    with LiveTensors(known) as live:
        call()
    return live.peak
