"""From a network to a label map in the raw grid."""

from rogseg.inference.region_update import CachedVolumeLogits
from rogseg.inference.sliding_window import LogitFn, VolumeLogits

__all__ = ["CachedVolumeLogits", "LogitFn", "VolumeLogits"]
