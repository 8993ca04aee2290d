"""When an attack has succeeded on a case."""

from rogseg.attacks.criteria.base import Criterion, DiceBelow
from rogseg.attacks.criteria.one_class import ClassGrown, ClassVanished
from rogseg.attacks.foreground import case_dice

__all__ = ["ClassGrown", "ClassVanished", "Criterion", "DiceBelow", "case_dice"]
