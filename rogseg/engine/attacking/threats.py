"""From the key ``threat`` of an attack config to the threat model of a case."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rogseg.attacks import ThreatModel
from rogseg.cases import Case, ReferenceWidth
from rogseg.engine.config.keys import nearest
from rogseg.registry import THREATS

__all__ = ["DEFAULT_THREAT", "REFERENCE", "ThreatFactory"]

AT_THE_END = 1e-6  # of the box's width: what rounding of the clipping may leave above its lower end

DEFAULT_THREAT: Mapping[str, Any] = {"type": "LinfThreat", "unit": "fraction", "moves": "all"}
REFERENCE = "reference"
UNITS = ("fraction", "network", "raw", REFERENCE)
MOVES = ("all", "tissue")


class ThreatFactory:
    """Builds the threat model of each case: what may move, and how far.

    Args:
        threat: ``dict(type="LinfThreat", unit="fraction")``. The unit of epsilon is ``fraction`` (of the width of the
            case's own box), ``network`` [network units], ``raw`` [HU, or scanner units of the case] or ``reference``
            (of the width of the reference box, the same raw epsilon for every system that is compared). What ``moves``
            is ``all``, or ``tissue``: a voxel at the lower end of the box in every channel, as air and what was masked
            out are, stays as it is, though the network is scored there, too.
        reference: width of the reference box of a case; needed for the unit ``reference``.

    Raises:
        ValueError: an unknown type, unit or key, or a reference without its unit or the other way round.
    """

    def __init__(self, threat: Mapping[str, Any], reference: ReferenceWidth | None = None) -> None:
        unknown = sorted(set(threat) - set(DEFAULT_THREAT))
        if unknown:
            raise ValueError(f"threat.{unknown[0]} is no key of a threat: {nearest(unknown[0], DEFAULT_THREAT)}")
        threat = {**DEFAULT_THREAT, **threat}
        self.unit = threat["unit"]
        if self.unit not in UNITS:
            raise ValueError(f"threat.unit is {self.unit!r}: {nearest(str(self.unit), UNITS)}")
        self.moves = threat["moves"]
        if self.moves not in MOVES:
            raise ValueError(f"threat.moves is {self.moves!r}: {nearest(str(self.moves), MOVES)}")
        found = THREATS.get(threat["type"])
        if found is None:
            raise ValueError(f"threat.type is {threat['type']!r}: {nearest(threat['type'], THREATS.module_dict)}")
        if self.unit == REFERENCE and reference is None:
            raise ValueError("threat.unit is 'reference': say with --reference whose box that is, a stored task")
        if reference is not None and self.unit != REFERENCE:
            raise ValueError(
                f"--reference says that epsilon is a fraction of that box, and threat.unit that it is {self.unit!r}: "
                "leave one of them out"
            )
        self.threat_class: type[ThreatModel] = found
        self.reference = reference

    def __call__(self, epsilon: float, case: Case) -> ThreatModel:
        """The ball of radius ``epsilon`` in the box of a case, for the voxels that may move."""
        threat, support = self._ball(epsilon, case), case.movable
        if self.moves == "tissue":
            lower = case.box.lower + AT_THE_END * case.box.width
            tissue = (case.inputs > lower).any(1, keepdim=True)
            support = tissue if support is None else support & tissue
        return threat if support is None else threat.within(support)

    def _ball(self, epsilon: float, case: Case) -> ThreatModel:
        if self.unit == "fraction":
            return self.threat_class.from_fraction(epsilon, case.box)
        if self.unit == "network":
            return self.threat_class.from_network_units(epsilon, case.box)
        if not case.raw_width:
            raise ValueError(
                f"case {case.case_id!r}: nothing says how wide its box is in raw units, which threat.unit "
                f"{self.unit!r} asks for; take 'fraction', or give the case a raw_width"
            )
        raw_width = self._per_channel(case.raw_width, case)
        if self.unit == "raw":
            return self.threat_class.from_raw_units(epsilon, case.box, raw_width)
        assert self.reference is not None, "the constructor asks for it"
        reference = self._per_channel(self.reference(case.case_id), case)
        # A fraction of the reference box is this many of the case's own box.
        return self.threat_class.from_raw_units(epsilon, case.box, raw_width / reference)

    def _per_channel(self, values: Sequence[float], case: Case) -> torch.Tensor:
        return torch.tensor(tuple(values), device=case.box.lower.device).reshape(1, -1, 1, 1, 1)
