"""Training losses, one file each."""

from rogseg.models.losses.cross_entropy_loss import CrossEntropyLoss
from rogseg.models.losses.dice_loss import DiceLoss

__all__ = ["CrossEntropyLoss", "DiceLoss"]
