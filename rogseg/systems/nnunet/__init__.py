"""Trained nnU-Nets, version 2: loaded without running code from their files, attacked through an exact gradient."""

from rogseg.systems.nnunet.further_training import write_back
from rogseg.systems.nnunet.system import NNUNetSystem

__all__ = ["NNUNetSystem", "write_back"]
