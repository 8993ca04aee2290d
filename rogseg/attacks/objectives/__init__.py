"""What attacks ascend."""

from rogseg.attacks.objectives.balanced_ce import BalancedCE
from rogseg.attacks.objectives.base import Objective, VoxelObjective, build_objective
from rogseg.attacks.objectives.clinical import ChangeVolume, PlantClass, RemoveLesions
from rogseg.attacks.objectives.cos_pgd import CosPGD
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.attacks.objectives.dlr import DLR
from rogseg.attacks.objectives.hard_dice import HardDice
from rogseg.attacks.objectives.jensen_shannon import JensenShannon
from rogseg.attacks.objectives.logit_cosine import LogitCosine
from rogseg.attacks.objectives.margin import Margin
from rogseg.attacks.objectives.masked_ce import FlooredMaskedCE, MaskedCE
from rogseg.attacks.objectives.masked_correlation import MaskedCorrelation
from rogseg.attacks.objectives.remove_class import GrowClass, RemoveClass
from rogseg.attacks.objectives.scale_free import ScaleFree
from rogseg.attacks.objectives.seg_pgd import SegPGD
from rogseg.attacks.objectives.soft_dice import SoftDice
from rogseg.attacks.objectives.targeted_dlr import TargetedDLR, targeted_dlr
from rogseg.attacks.objectives.with_ruler import WithRuler

__all__ = [
    "DLR",
    "BalancedCE",
    "ChangeVolume",
    "CosPGD",
    "CrossEntropy",
    "FlooredMaskedCE",
    "GrowClass",
    "HardDice",
    "JensenShannon",
    "LogitCosine",
    "Margin",
    "MaskedCE",
    "MaskedCorrelation",
    "Objective",
    "PlantClass",
    "RemoveClass",
    "RemoveLesions",
    "ScaleFree",
    "SegPGD",
    "SoftDice",
    "TargetedDLR",
    "VoxelObjective",
    "WithRuler",
    "build_objective",
    "targeted_dlr",
]
