"""What an adversary may do."""

from rogseg.attacks.threats.base import ThreatModel, per_case
from rogseg.attacks.threats.l2_threat import L2Threat
from rogseg.attacks.threats.linf_threat import LinfThreat

__all__ = ["L2Threat", "LinfThreat", "ThreatModel", "per_case"]
