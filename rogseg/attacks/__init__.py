"""Attacks on volumetric segmentation networks: threat models, objectives, criteria, attacks."""

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack
from rogseg.attacks.criteria import (
    ClassAppears,
    ClassGrown,
    ClassVanished,
    Criterion,
    DiceBelow,
    LesionsMissed,
    VolumeOff,
)
from rogseg.attacks.dag import DAG
from rogseg.attacks.ensembles import SEA, AutoAttack, Composite, SegmentationEnsemble, Strongest
from rogseg.attacks.fab import FAB, FABDice
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.frequency import VAFA, QuantisationThreat
from rogseg.attacks.legacy import LegacyPGD, LegacyROG, LegacyROGThreat
from rogseg.attacks.objectives import Objective
from rogseg.attacks.padam import PAdam
from rogseg.attacks.pgd import PGD
from rogseg.attacks.plain_arrays import attack_arrays
from rogseg.attacks.problem import Problem
from rogseg.attacks.proximal import PDPGD, ALMAProx
from rogseg.attacks.result import AttackResult, Perturbation
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.attacks.square import OpenCase, RegionModel, Square
from rogseg.attacks.threats import L2Threat, LinfThreat, ThreatModel

__all__ = [
    "APGD",
    "DAG",
    "FAB",
    "FGSM",
    "PDPGD",
    "PGD",
    "SEA",
    "VAFA",
    "ALMAProx",
    "Attack",
    "AttackResult",
    "AutoAttack",
    "ClassAppears",
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
    "LesionsMissed",
    "LinfThreat",
    "Objective",
    "OpenCase",
    "PAdam",
    "Perturbation",
    "Problem",
    "QuantisationThreat",
    "RegionModel",
    "SegmentationEnsemble",
    "ShrinkingAPGD",
    "Square",
    "Strongest",
    "ThreatModel",
    "VolumeOff",
    "attack_arrays",
]
