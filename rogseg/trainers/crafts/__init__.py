"""Crafts: how the volumes are made that an adversarial training trains on."""

from rogseg.trainers.crafts.base import Craft, Crafted, InnerProblem, power_of_two_near
from rogseg.trainers.crafts.fgsm_craft import FGSMCraft
from rogseg.trainers.crafts.nfgsm_craft import NFGSMCraft
from rogseg.trainers.crafts.pgd_craft import PGDCraft

__all__ = ["Craft", "Crafted", "FGSMCraft", "InnerProblem", "NFGSMCraft", "PGDCraft", "power_of_two_near"]
