"""A network over windows whose passes run in bfloat16, as networks in use often do."""

import torch
from torch import Tensor

from rogseg.cases import LogitFn

__all__ = ["in_dtype"]


def in_dtype(network: LogitFn, dtype: str) -> LogitFn:
    """The network, computing in ``float32``, as it does by itself, or in ``bfloat16``.

    Raises:
        ValueError: it is neither.
    """
    if dtype not in ("float32", "bfloat16"):
        raise ValueError(f"dtype is {dtype!r}, known are 'float32' and 'bfloat16'")
    return _InBfloat16(network) if dtype == "bfloat16" else network


class _InBfloat16:
    """A network under autocast; its logits are float32, and so is the gradient for its inputs.

    Of the two half precisions bfloat16 alone has the range of float32: in float16 small gradients become 0, and an
    attack that has no gradient looks like a robust network.

    Args:
        network: (B, C, d, h, w) -> (B, K, d, h, w).
    """

    def __init__(self, network: LogitFn) -> None:
        self.network = network

    def __call__(self, windows: Tensor) -> Tensor:
        """What the network gives."""
        with torch.autocast(windows.device.type, dtype=torch.bfloat16, cache_enabled=False):
            found: object = self.network(windows)
        return found.float() if isinstance(found, Tensor) else found  # type: ignore[return-value]
