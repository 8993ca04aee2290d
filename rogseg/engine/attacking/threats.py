"""From the key ``threat`` of an attack config to the threat model of a case."""

from collections.abc import Mapping
from typing import Any

import torch

from rogseg.attacks import ThreatModel
from rogseg.cases import Case
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.engine.config.keys import nearest
from rogseg.registry import THREATS

__all__ = ["DEFAULT_THREAT", "ThreatFactory", "parse_epsilon"]

DEFAULT_THREAT = {"type": "LinfThreat", "unit": "fraction"}
UNITS = ("fraction", "network", "raw")


class ThreatFactory:
    """Builds the threat model of each case.

    Args:
        threat: ``dict(type="LinfThreat", unit="fraction")``; the unit of epsilon is ``fraction`` (of the width of the
            intensity box), ``network`` [network units] or ``raw`` [HU, or scanner units of the case].

    Raises:
        ValueError: an unknown type, unit or key.
    """

    def __init__(self, threat: Mapping[str, Any]) -> None:
        unknown = sorted(set(threat) - set(DEFAULT_THREAT))
        if unknown:
            raise ValueError(f"threat.{unknown[0]} is no key of a threat: {nearest(unknown[0], DEFAULT_THREAT)}")
        threat = {**DEFAULT_THREAT, **threat}
        self.unit = threat["unit"]
        if self.unit not in UNITS:
            raise ValueError(f"threat.unit is {self.unit!r}: {nearest(str(self.unit), UNITS)}")
        found = THREATS.get(threat["type"])
        if found is None:
            raise ValueError(f"threat.type is {threat['type']!r}: {nearest(threat['type'], THREATS.module_dict)}")
        self.threat_class: type[ThreatModel] = found

    def __call__(self, epsilon: float, case: AttackCase | Case) -> ThreatModel:
        """The ball of radius ``epsilon`` in the box of a case."""
        if self.unit == "fraction":
            return self.threat_class.from_fraction(epsilon, case.box)
        if self.unit == "network":
            return self.threat_class.from_network_units(epsilon, case.box)
        raw_width = torch.tensor(case.raw_width, device=case.box.lower.device).reshape(1, -1, 1, 1, 1)
        return self.threat_class.from_raw_units(epsilon, case.box, raw_width)


def parse_epsilon(text: str) -> float:
    """Read ``8/255`` or ``0.03``.

    Raises:
        ValueError: it is no number, or not above 0.
    """
    numerator, _, denominator = text.partition("/")
    try:
        value = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"--epsilon {text!r} is no number; write 8/255 or 0.03") from error
    if not 0 < value < float("inf"):
        raise ValueError(f"--epsilon {text!r} must be above 0")
    return value
