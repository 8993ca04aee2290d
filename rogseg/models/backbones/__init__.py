"""Backbones, one file each."""

from rogseg.models.backbones.rog import ROG
from rogseg.models.backbones.unet_plus_plus import UNetPlusPlus

__all__ = ["ROG", "UNetPlusPlus"]
