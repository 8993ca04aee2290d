"""Backbones, one file each."""

from rogseg.models.backbones.rog import ROG

__all__ = ["ROG"]
