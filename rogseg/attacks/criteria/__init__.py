"""When an attack has succeeded on a case."""

from rogseg.attacks.criteria.base import Criterion, DiceBelow, case_dice
from rogseg.attacks.criteria.one_class import ClassGrown, ClassVanished

__all__ = ["ClassGrown", "ClassVanished", "Criterion", "DiceBelow", "case_dice"]
