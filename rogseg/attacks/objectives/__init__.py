"""What attacks ascend."""

from rogseg.attacks.objectives.base import Objective, VoxelObjective, build_objective
from rogseg.attacks.objectives.cos_pgd import CosPGD
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.attacks.objectives.dlr import DLR
from rogseg.attacks.objectives.hard_dice import HardDice
from rogseg.attacks.objectives.jensen_shannon import JensenShannon
from rogseg.attacks.objectives.margin import Margin
from rogseg.attacks.objectives.masked_ce import FlooredMaskedCE, MaskedCE
from rogseg.attacks.objectives.remove_class import GrowClass, RemoveClass
from rogseg.attacks.objectives.seg_pgd import SegPGD
from rogseg.attacks.objectives.soft_dice import SoftDice
from rogseg.attacks.objectives.targeted_dlr import TargetedDLR, targeted_dlr

__all__ = [
    "DLR",
    "CosPGD",
    "CrossEntropy",
    "FlooredMaskedCE",
    "GrowClass",
    "HardDice",
    "JensenShannon",
    "Margin",
    "MaskedCE",
    "Objective",
    "RemoveClass",
    "SegPGD",
    "SoftDice",
    "TargetedDLR",
    "VoxelObjective",
    "build_objective",
    "targeted_dlr",
]
