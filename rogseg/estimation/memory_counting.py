"""Memory by counting: what tensors hold at one time, what autograd keeps, and what is free."""

import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["LiveMemory", "free_gpu_memory", "free_machine_memory", "saved_bytes"]


class LiveMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the storages that operations make while it is entered, backward passes included.

    Works on ``meta`` tensors, which have sizes and no memory, as on real ones. It cannot see what lives only inside of
    one operation, such as the scratch memory of a convolution, nor what an allocator rounds up or holds back.

    Attributes:
        current: [bytes] alive now.
        peak: the highest that ``current`` has been [bytes].
    """

    def __init__(self, leave_out: tuple[Tensor, ...] = ()) -> None:
        """Begin at 0; the tensors of ``leave_out`` are never counted."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.current = self.peak = 0
        self._leave_out = leave_out  # held, so that no other storage gets their addresses
        self._known = {tensor.untyped_storage()._cdata for tensor in leave_out}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and count what is new among its results."""
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self._known:
            return
        self._known.add(storage._cdata)
        self.current += storage.nbytes()
        self.peak = max(self.peak, self.current)
        weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())

    def _forget(self, address: int, size: int) -> None:
        self._known.discard(address)
        self.current -= size


def saved_bytes(compute: Callable[[], Tensor], leave_out: Iterable[Tensor] = ()) -> tuple[int, Tensor]:
    """Run a forward pass and add up the tensors that it saves for backward.

    Works on every device, ``meta`` included. A storage that several operations save counts once, and whole: a saved
    view keeps all of it.

    Args:
        compute: the forward pass.
        leave_out: tensors that are there anyway, such as the parameters.

    Returns:
        [bytes], and what ``compute`` gave.
    """
    known = {tensor.untyped_storage()._cdata for tensor in leave_out}
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        # The address is a fair name: the graph holds the storage, so that no other can have it meanwhile.
        if storage._cdata not in known:
            sizes[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        result = compute()
    return sum(sizes.values()), result


def free_machine_memory() -> int | None:
    """What programs can still get without swapping [bytes]; None where the system does not say (Linux does)."""
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    entries = dict(line.split(":", 1) for line in path.read_text("utf-8").splitlines())
    return int(entries["MemAvailable"].split()[0]) * 1024


def free_gpu_memory() -> int | None:
    """What is free on the GPU [bytes]; None without one."""
    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info()
    return int(free)
