"""Networks seen in mirrors: the functions whose mean is the output of a window, every fold on every mirrored copy."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from rogseg.cases import LogitFn

__all__ = ["MirroredCopy", "mirrored_copies", "mirrorings"]


def mirrorings(axes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Every set of axes to mirror along, none first, in nnU-Net's order."""
    return tuple(chosen for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count))


class MirroredCopy:
    """A network seen in a mirror: mirror the window, call the network, mirror the logits back.

    Args:
        network: of three spatial axes, or of two where ``slices`` is set.
        axes: of the network's spatial axes, those to mirror along.
        slices: windows (B, C, 1, h, w) are handed to the network as (B, C, h, w).
    """

    def __init__(self, network: LogitFn, axes: Sequence[int], *, slices: bool = False) -> None:
        self.network, self.slices = network, slices
        self.axes = [axis + 2 for axis in axes]

    def __call__(self, windows: Tensor) -> Tensor:
        """(B, C, d, h, w) -> (B, L, d, h, w)."""
        inputs = windows.squeeze(2) if self.slices else windows
        logits: Tensor = torch.flip(self.network(torch.flip(inputs, self.axes)), self.axes)
        return logits.unsqueeze(2) if self.slices else logits


def mirrored_copies(networks: Sequence[LogitFn], axes: Sequence[int], *, slices: bool = False) -> tuple[LogitFn, ...]:
    """All copies of all folds; the mean of means is the mean of all, since every fold has as many copies."""
    return tuple(MirroredCopy(network, chosen, slices=slices) for network in networks for chosen in mirrorings(axes))
