"""Lets the Square attack work on a volume by its windows: the bridge between attacks and inference."""

from torch import Tensor

from rogseg.attacks.square.region_model import OpenCase, RegionModel
from rogseg.inference import CachedVolumeLogits, VolumeLogits

__all__ = ["RegionVolumeLogits"]


class RegionVolumeLogits(RegionModel):
    """Logits of whole volumes, of which single ones can be kept open for local changes.

    Gives the same logits as the `VolumeLogits` that it wraps, so an attack decides the same through either; a query
    costs the windows that its cuboid touches instead of all. An open case keeps the logits of all its windows.
    """

    def __init__(self, volume_logits: VolumeLogits) -> None:
        self.volume_logits = volume_logits

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits, differentiable."""
        return self.volume_logits(inputs)

    def open_case(self, inputs: Tensor) -> OpenCase:
        """Evaluate (1, C, D, H, W) in full, without a graph, and keep the logits of its windows."""
        return CachedVolumeLogits(self.volume_logits, inputs)
