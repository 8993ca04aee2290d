"""When an attack has succeeded on a case."""

from rogseg.attacks.criteria.base import Criterion, DiceBelow
from rogseg.attacks.criteria.lesions import LesionsMissed
from rogseg.attacks.criteria.one_class import ClassGrown, ClassVanished
from rogseg.attacks.criteria.volume import ClassAppears, VolumeOff
from rogseg.attacks.foreground import case_dice

__all__ = [
    "ClassAppears",
    "ClassGrown",
    "ClassVanished",
    "Criterion",
    "DiceBelow",
    "LesionsMissed",
    "VolumeOff",
    "case_dice",
]
