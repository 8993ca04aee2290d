"""Minimal-norm attacks: the nearest volume beyond a decision surface."""

from rogseg.attacks.fab.fab import FAB
from rogseg.attacks.fab.fab_dice import FABDice

__all__ = ["FAB", "FABDice"]
