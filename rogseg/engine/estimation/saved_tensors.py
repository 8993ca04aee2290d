"""What autograd keeps between a forward and a backward pass."""

from collections.abc import Callable, Iterable

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

__all__ = ["saved_bytes"]


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
