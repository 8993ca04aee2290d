"""The released evaluation of Daza et al. 2021 as it was, kept to measure what each of its choices does to a number."""

from rogseg.attacks.legacy.legacy_pgd import LegacyPGD
from rogseg.attacks.legacy.legacy_rog import LegacyROG
from rogseg.attacks.legacy.legacy_rog_threat import LegacyROGThreat

__all__ = ["LegacyPGD", "LegacyROG", "LegacyROGThreat"]
