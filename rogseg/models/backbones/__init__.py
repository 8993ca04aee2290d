"""Backbones, one file each."""

from rogseg.models.backbones.c2fnas import C2FNAS
from rogseg.models.backbones.rog import ROG
from rogseg.models.backbones.unet_plus_plus import UNetPlusPlus

__all__ = ["C2FNAS", "ROG", "UNetPlusPlus"]
