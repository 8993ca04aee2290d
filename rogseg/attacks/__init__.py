"""Attacks on volumetric segmentation networks: threat models, objectives, criteria, attacks."""

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack, AttackResult, Perturbation
from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.fab import FAB
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.objectives import Objective
from rogseg.attacks.pgd import PGD
from rogseg.attacks.square import Square
from rogseg.attacks.threat_model import IntensityBox, L2Threat, LinfThreat, ThreatModel

__all__ = [
    "APGD",
    "FAB",
    "FGSM",
    "PGD",
    "Attack",
    "AttackResult",
    "Criterion",
    "DiceBelow",
    "IntensityBox",
    "L2Threat",
    "LinfThreat",
    "Objective",
    "Perturbation",
    "Square",
    "ThreatModel",
]
