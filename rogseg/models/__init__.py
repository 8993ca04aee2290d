"""Segmentation networks."""

from rogseg.models.backbones import ROG
from rogseg.models.heads import ROGHead
from rogseg.models.losses import CrossEntropyLoss, DiceLoss
from rogseg.models.multi_planar import MultiPlanarSegmentor
from rogseg.models.segmentor import Segmentor

__all__ = ["ROG", "CrossEntropyLoss", "DiceLoss", "MultiPlanarSegmentor", "ROGHead", "Segmentor"]
