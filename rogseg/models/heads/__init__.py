"""Heads, one file each."""

from rogseg.models.heads.rog_head import ROGHead

__all__ = ["ROGHead"]
