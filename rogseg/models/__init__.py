"""Segmentation networks."""

from rogseg.models.backbones import ROG
from rogseg.models.heads import ROGHead
from rogseg.models.losses import CrossEntropyLoss, DiceLoss
from rogseg.models.segmentor import Segmentor

__all__ = ["ROG", "CrossEntropyLoss", "DiceLoss", "ROGHead", "Segmentor"]
