"""From a network to a label map in the raw grid."""

from rogseg.inference.sliding_window import LogitFn, VolumeLogits

__all__ = ["LogitFn", "VolumeLogits"]
