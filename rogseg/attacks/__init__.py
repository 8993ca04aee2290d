"""Attacks on volumetric segmentation networks: threat models, objectives, criteria, attacks."""

from rogseg.attacks.apgd import APGD
from rogseg.attacks.auto_attack import AutoAttack
from rogseg.attacks.base import Attack, AttackResult, Perturbation
from rogseg.attacks.class_criteria import ClassGrown, ClassVanished
from rogseg.attacks.composite import Composite
from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.fab import FAB
from rogseg.attacks.fab_dice import FABDice
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.legacy_pgd import LegacyPGD
from rogseg.attacks.legacy_rog import LegacyROG
from rogseg.attacks.legacy_rog_threat import LegacyROGThreat
from rogseg.attacks.objectives import Objective
from rogseg.attacks.pgd import PGD
from rogseg.attacks.region_model import OpenCase, RegionModel
from rogseg.attacks.segmentation_ensemble import SegmentationEnsemble
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.attacks.square import Square
from rogseg.attacks.threat_model import L2Threat, LinfThreat, ThreatModel

__all__ = [
    "APGD",
    "FAB",
    "FGSM",
    "PGD",
    "Attack",
    "AttackResult",
    "AutoAttack",
    "ClassGrown",
    "ClassVanished",
    "Composite",
    "Criterion",
    "DiceBelow",
    "FABDice",
    "L2Threat",
    "LegacyPGD",
    "LegacyROG",
    "LegacyROGThreat",
    "LinfThreat",
    "Objective",
    "OpenCase",
    "Perturbation",
    "RegionModel",
    "SegmentationEnsemble",
    "ShrinkingAPGD",
    "Square",
    "ThreatModel",
]
