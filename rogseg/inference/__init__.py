"""From a network to a label map in the raw grid."""

from rogseg.inference.export import raw_grid_labels, raw_grid_probabilities, write_prediction
from rogseg.inference.postprocessing import postprocess, postprocess_class, with_postprocessing
from rogseg.inference.region_update import CachedVolumeLogits, RegionVolumeLogits
from rogseg.inference.sliding_window import VolumeLogits

__all__ = [
    "CachedVolumeLogits",
    "RegionVolumeLogits",
    "VolumeLogits",
    "postprocess",
    "postprocess_class",
    "raw_grid_labels",
    "raw_grid_probabilities",
    "with_postprocessing",
    "write_prediction",
]
