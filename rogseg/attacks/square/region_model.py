"""What a black-box attack needs from a model that can evaluate a local change cheaply.

The Square attack changes one cuboid per query. A sliding window needs to run again only where the cuboid lies; whoever
owns the windows implements these two interfaces, and the attack makes the same decisions through them as without.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["OpenCase", "RegionModel"]


class OpenCase(Protocol):
    """One volume that a model keeps open: propose a change, then accept or reject it."""

    @property
    def logits(self) -> Tensor:
        """(1, K, D, H, W) of the volume as it stands; a later change may write into this tensor."""

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        """Logits (1, K, D, H, W) with ``values`` (1, C, d, h, w) in the cuboid ``region`` (slices of voxels)."""

    def accept(self) -> None:
        """Keep the proposed change."""

    def reject(self) -> None:
        """Go back to the volume before the proposal."""


@runtime_checkable
class RegionModel(Protocol):
    """A LogitFn that can also keep single volumes open."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits."""

    def open_case(self, inputs: Tensor) -> OpenCase:
        """Evaluate (1, C, D, H, W) in full and keep it open; never builds a graph."""
