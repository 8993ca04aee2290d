"""Measures of a segmentation: pure functions that attacks, tests and reports share."""

from rogseg.metrics.dice import dice_per_class, mean_foreground_dice

__all__ = ["dice_per_class", "mean_foreground_dice"]
