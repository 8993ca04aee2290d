"""How large a network is: its parameters and the multiply-accumulates of a forward pass."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["count_macs", "count_parameters"]


def count_parameters(network: nn.Module) -> int:
    """Number of parameters, trained or not."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Multiply-accumulates of the convolutions and matrix products of one forward pass.

    Args:
        network: on the ``meta`` device, where a pass has shapes only and no arithmetic.
        shape: of the inputs, (B, C, D, H, W).
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(shape, device="meta"))
    # A multiply-accumulate is two operations.
    return counter.get_total_flops() / 2
