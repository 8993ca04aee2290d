"""Measures of a segmentation: pure functions that attacks, tests and reports share."""

from rogseg.metrics.bootstrap import bootstrap_interval
from rogseg.metrics.dice import dice_per_class, mean_foreground_dice

__all__ = ["bootstrap_interval", "dice_per_class", "mean_foreground_dice"]
