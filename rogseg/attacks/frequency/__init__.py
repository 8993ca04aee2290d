"""The attack in the frequency domain, and what it is allowed: another threat model than a ball of a norm."""

from rogseg.attacks.frequency.quantisation_threat import QuantisationThreat
from rogseg.attacks.frequency.vafa import VAFA

__all__ = ["VAFA", "QuantisationThreat"]
