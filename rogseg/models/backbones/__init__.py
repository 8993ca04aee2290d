"""Backbones, one file each; the two of nnU-Net share one."""

from rogseg.models.backbones.c2fnas import C2FNAS
from rogseg.models.backbones.planned_unets import PlainConvUNet, ResidualEncoderUNet
from rogseg.models.backbones.rog import ROG
from rogseg.models.backbones.unet_plus_plus import UNetPlusPlus

__all__ = ["C2FNAS", "ROG", "PlainConvUNet", "ResidualEncoderUNet", "UNetPlusPlus"]
