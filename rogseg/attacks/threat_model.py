"""The threat models, on one page; importing this module fills the registry."""

from rogseg.attacks.l2_threat import L2Threat
from rogseg.attacks.linf_threat import LinfThreat
from rogseg.attacks.threat_base import ThreatModel

__all__ = ["L2Threat", "LinfThreat", "ThreatModel"]
