"""Heads, one file each."""

from rogseg.models.heads.deep_supervision_head import DeepSupervisionHead
from rogseg.models.heads.identity_head import IdentityHead
from rogseg.models.heads.logit_pyramid_head import LogitPyramidHead
from rogseg.models.heads.rog_head import ROGHead

__all__ = ["DeepSupervisionHead", "IdentityHead", "LogitPyramidHead", "ROGHead"]
