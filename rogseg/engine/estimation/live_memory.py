"""The most memory that tensors hold at one time, counted operation by operation."""

import weakref
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["LiveMemory"]


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
