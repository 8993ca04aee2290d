"""nnU-Net's network as its own training calls it: with every head of its deep supervision."""

from typing import Any

from torch import Tensor, nn

__all__ = ["TrainedHeads"]


class TrainedHeads(nn.Module):
    """One fold's network over windows, whose trained heads all answer, from fine to coarse.

    Args:
        network: as `build_network` made it, its other heads silent; each call leaves it so, for the system shares it.
        deep_supervision: whether its trainer trained the other heads.
        slices: the network is two-dimensional and takes windows (B, C, 1, h, w) as (B, C, h, w).
    """

    def __init__(self, network: nn.Module, *, deep_supervision: bool, slices: bool) -> None:
        super().__init__()
        self.network, self.deep_supervision, self.slices = network, deep_supervision, slices

    def forward(self, windows: Tensor) -> tuple[Tensor, ...]:
        """(B, C, d, h, w) -> logits (B, L, d, h, w), then those of the coarser heads."""
        decoder: Any = self.network.decoder
        decoder.deep_supervision = self.deep_supervision
        try:
            given = self.network(windows.squeeze(2) if self.slices else windows)
        finally:
            decoder.deep_supervision = False
        outputs: tuple[Tensor, ...] = (given,) if isinstance(given, Tensor) else tuple(given)
        return tuple(logits.unsqueeze(2) for logits in outputs) if self.slices else outputs
