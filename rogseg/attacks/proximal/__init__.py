"""Minimal-norm attacks that make every voxel of the organ a constraint and the largest move what is minimised."""

from rogseg.attacks.proximal.alma_prox import ALMAProx
from rogseg.attacks.proximal.pdpgd import PDPGD

__all__ = ["PDPGD", "ALMAProx"]
