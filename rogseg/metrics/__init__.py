"""Measures of a segmentation, which attacks, tests and reports share."""

from rogseg.metrics.base import Measure, build_measures, heading_of, measure_classes
from rogseg.metrics.dice import Dice, dice_per_class, mean_foreground_dice
from rogseg.metrics.hd95 import HD95
from rogseg.metrics.image_similarity import image_range, peak_signal_to_noise, structural_similarity
from rogseg.metrics.lesion_detection import LesionFalsePositives, LesionSensitivity
from rogseg.metrics.nsd import NSD
from rogseg.metrics.visibility import visibility
from rogseg.metrics.volume import FalseVolume, VolumeError, volume_ml

__all__ = [
    "HD95",
    "NSD",
    "Dice",
    "FalseVolume",
    "LesionFalsePositives",
    "LesionSensitivity",
    "Measure",
    "VolumeError",
    "build_measures",
    "dice_per_class",
    "heading_of",
    "image_range",
    "mean_foreground_dice",
    "measure_classes",
    "peak_signal_to_noise",
    "structural_similarity",
    "visibility",
    "volume_ml",
]
